import { escapeXml } from '../wire/xml-printer.ts';
import type { UpdateInfo } from './update-info.ts';

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

const plain = (text: string): string => text.replace(/&(\w+);/g, (whole, name: string) => entities[name] ?? whole);

/** The attributes of the first element of that name; undefined when there is none. */
function attributesOf(document: string, element: string): ReadonlyMap<string, string> | undefined {
  const [, text] = new RegExp(`<${element}\\b([^>]*)>`).exec(document) ?? [];
  if (text === undefined) return undefined;
  return new Map(
    [...text.matchAll(/([\w-]+)\s*=\s*"([^"]*)"/g)].map(([, name = '', value = '']) => [name, plain(value)]),
  );
}

const words = (text: string | undefined): string[] => (text ?? '').split(/[\s,]+/).filter((word) => word !== '');

const livepatches = ['ok', 'ok_livepatch_complete', 'ok_livepatch_incomplete'] as const;

/** The document of a patch file (`info`) or of an update's ISO (`update`): the genuine attributes, and the lab's own element. */
export function writeUpdateXml(element: 'info' | 'update', info: UpdateInfo): string {
  const attributes = {
    uuid: info.uuid,
    'name-label': info.name,
    'name-description': info.description,
    version: info.version,
    'installation-size': String(info.sizeBytes),
    'after-apply-guidance': info.guidance.join(element === 'info' ? ' ' : ','),
  };
  const lab = {
    requires: info.requires.join(' '),
    conflicts: info.conflicts.join(' '),
    'for-version': info.forVersion,
    'for-build': info.forBuild,
    'needs-no-vms': String(info.needsNoVms),
    'needs-no-iso': String(info.needsNoIso),
    'answers-xml': String(info.answersXml),
    livepatch: info.livepatch,
    software: JSON.stringify(info.software),
  };
  const print = (values: Readonly<Record<string, string>>) =>
    Object.entries(values)
      .map(([name, value]) => ` ${name}="${escapeXml(value)}"`)
      .join('');
  return `<${element}${print(attributes)}><name-description>${escapeXml(info.description)}</name-description><lab${print(lab)}/></${element}>\n`;
}

/** What the document says; names the first thing that it lacks. */
export function readUpdateXml(element: 'info' | 'update', document: string): UpdateInfo | { readonly missing: string } {
  const attributes = attributesOf(document, element);
  if (attributes === undefined) return { missing: element };
  const missing = ['uuid', 'name-label', 'version'].find((name) => !attributes.has(name));
  if (missing !== undefined) return { missing };
  const lab = attributesOf(document, 'lab') ?? new Map<string, string>();
  const [, description = ''] = /<name-description>([^<]*)</.exec(document) ?? [];
  return {
    uuid: (attributes.get('uuid') ?? '').toLowerCase(),
    name: attributes.get('name-label') ?? '',
    description: attributes.get('name-description') ?? plain(description),
    version: attributes.get('version') ?? '',
    sizeBytes: Number(attributes.get('installation-size') ?? 0),
    guidance: words(attributes.get('after-apply-guidance')),
    requires: words(lab.get('requires')),
    conflicts: words(lab.get('conflicts')),
    forVersion: lab.get('for-version') ?? '',
    forBuild: lab.get('for-build') ?? '',
    needsNoVms: lab.get('needs-no-vms') === 'true',
    needsNoIso: lab.get('needs-no-iso') === 'true',
    answersXml: lab.get('answers-xml') === 'true',
    livepatch: livepatches.find((status) => status === lab.get('livepatch')) ?? 'ok',
    software: JSON.parse(lab.get('software') ?? '{}') as Readonly<Record<string, string>>,
  };
}
