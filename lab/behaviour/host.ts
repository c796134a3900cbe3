import type { Handlers } from '../dispatch/call.ts';
import { assertNoMandatoryGuidance } from '../patching/guidances.ts';
import { formatDate } from '../world/dates.ts';
import { XapiError } from '../xapi-error.ts';

export const hostBehaviour: Handlers = {
  'host.list_methods': () => {
    throw new XapiError('NOT_IMPLEMENTED', 'list_method');
  },
  'host.enable': ({ world }, host) => {
    assertNoMandatoryGuidance(world, host);
    world.store.update('host', host, { enabled: true });
  },
  'host.disable': ({ world }, host) => world.store.update('host', host, { enabled: false }),
  'host.get_servertime': () => formatDate(Date.now()),
  'host.get_server_localtime': () => formatDate(Date.now()),
};
