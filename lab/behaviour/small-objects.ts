import type { Call, Handlers } from '../dispatch/call.ts';
import type { ClassName } from '../model/records.ts';
import { formatDate } from '../world/dates.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';
import { assertPowerState } from './vm-support.ts';

const destroyAs =
  (cls: ClassName) =>
  ({ world }: Call, ref: string): void =>
    world.store.destroy(cls, ref);

function createBlob(world: World, name: string, mimeType: string, isPublic: boolean): string {
  return world.store.create('blob', {
    name_label: name,
    mime_type: mimeType === '' ? 'application/octet-stream' : mimeType,
    public: isPublic,
    last_updated: formatDate(Date.now()),
  });
}

/** A blob that belongs to an object, which lists it by its name. */
const newBlobFor =
  (cls: 'pool' | 'VM' | 'host' | 'network' | 'SR') =>
  ({ world }: Call, owner: string, name: string, mimeType: string, isPublic = false): string => {
    const { blobs } = world.store.get(cls, owner);
    if (name in blobs) throw new XapiError('BLOB_ALREADY_EXISTS');
    const blob = createBlob(world, name, mimeType, isPublic);
    world.store.update(cls, owner, { blobs: { ...blobs, [name]: blob } });
    return blob;
  };

/** Objects that are hardly more than their record. */
export const smallObjects: Handlers = {
  'blob.create': ({ world }, mimeType, isPublic = false) => createBlob(world, '', mimeType, isPublic),
  'blob.destroy': destroyAs('blob'),
  'pool.create_new_blob': newBlobFor('pool'),
  'VM.create_new_blob': newBlobFor('VM'),
  'host.create_new_blob': newBlobFor('host'),
  'network.create_new_blob': newBlobFor('network'),
  'SR.create_new_blob': newBlobFor('SR'),
  'crashdump.destroy': destroyAs('crashdump'),
  'host_crashdump.destroy': destroyAs('host_crashdump'),
  'GPU_group.create': ({ world }, label = '', description = '', config = {}) =>
    world.store.create('GPU_group', { name_label: label, name_description: description, other_config: config }),
  'GPU_group.destroy': destroyAs('GPU_group'),
  'USB_group.create': ({ world }, label = '', description = '', config = {}) =>
    world.store.create('USB_group', { name_label: label, name_description: description, other_config: config }),
  'USB_group.destroy': destroyAs('USB_group'),
  'VTPM.create': ({ world }, vm, isUnique) => {
    assertPowerState(world, vm, ['Halted']);
    if (world.store.get('VM', vm).VTPMs.length > 0) throw new XapiError('VTPM_MAX_AMOUNT_REACHED', '1');
    return world.store.create('VTPM', { VM: vm, is_unique: isUnique });
  },
  'VTPM.destroy': ({ world }, vtpm) => {
    assertPowerState(world, world.store.get('VTPM', vtpm).VM, ['Halted']);
    world.store.destroy('VTPM', vtpm);
  },
  'SDN_controller.introduce': ({ world }, protocol = 'ssl', address = '', port = 0) =>
    world.store.create('SDN_controller', { protocol, address, port: port === 0 && protocol === 'ssl' ? 6632 : port }),
  'SDN_controller.forget': destroyAs('SDN_controller'),
};
