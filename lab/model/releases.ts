/** The releases of the data model that have names, oldest first (datamodel_types of the Xapi project); all numbers are newer. */
const named: readonly string[] = [
  ...['rio', 'miami', 'symc', 'orlando', 'orlando-update-1', 'george', 'midnight-ride', 'cowley', 'boston', 'tampa'],
  ...['clearwater', 'vgpu-tech-preview', 'vgpu-productisation', 'clearwater-felton', 'clearwater-whetstone'],
  ...['creedence', 'cream', 'indigo', 'dundee', 'ely', 'falcon', 'inverness', 'jura', 'kolkata', 'lima', 'naples'],
  ...['quebec', 'stockholm', 'stockholm_psr'],
];

/** Numbers that compare as the releases do; throws for what is no release of the data model. */
function position(release: string): readonly number[] {
  const at = named.indexOf(release);
  if (at >= 0) return [0, at, 0];
  const numbers = /^(\d+)\.(\d+)\.(\d+)/.exec(release)?.slice(1).map(Number);
  if (numbers === undefined) throw new Error(`the data model holds a release that cannot be read: ${release}`);
  return numbers;
}

/** Whether what came in the one release is there in the other: `isIn('ely', '25.33.1')`. */
export function isIn(since: string, release: string): boolean {
  const [brought, spoken] = [position(since), position(release)];
  const at = brought.findIndex((number, index) => number !== spoken[index]);
  return at < 0 || (brought[at] ?? 0) < (spoken[at] ?? 0);
}

/**
 * Optional parameters that are younger than their message. The published data model has no lifecycle of parameters: these are
 * told by its messages' later transitions, the last three by the parameters' releases in the daemon's own data model.
 */
const parameters: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'host.evacuate': { network: '1.297.0', evacuate_batch_size: '23.27.0' },
  'host.disable': { auto_enable: '25.31.0' },
  'pool.sync_updates': { username: '25.7.0', password: '25.7.0' },
  'pool.uninstall_ca_certificate': { force: '24.35.0' },
  'VDI.copy': { base_vdi: 'clearwater-felton', into_vdi: 'clearwater-felton' },
  'VM.snapshot': { ignore_vdis: '21.4.0' },
  'VM.migrate_send': { vgpu_map: 'inverness', vdi_format_map: '25.0.0' },
  'VM.assert_can_migrate': { vgpu_map: 'inverness' },
};

/** Whether a message takes the parameter in a release that has the message. */
export function takesParameter(fullName: string, parameter: string, release: string): boolean {
  const since = parameters[fullName]?.[parameter];
  return since === undefined || isIn(since, release);
}
