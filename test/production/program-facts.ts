import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ComposeFile, Service } from './compose-file.ts';

/** What the settings of the programs are called, read from the sources that read them. */
export interface ProgramFacts {
  /** Variables that bin/config.ts, bin/migrate.ts or the entry point of the image read. */
  readonly variables: ReadonlySet<string>;
  /** `dist/bin/api.js` for every program in bin/. */
  readonly hasProgram: (path: string) => boolean;
  readonly hasFile: (path: string) => boolean;
}

export function variablesOf(root: string): Set<string> {
  const sources = ['bin/config.ts', 'bin/migrate.ts', 'deploy/run-with-database.sh'];
  const text = sources.map((path) => readFileSync(join(root, path), 'utf8')).join('\n');
  return new Set(text.match(/\b(SWITCHBOARD_[A-Z_]+|DATABASE_[A-Z]+|SECRETS_DIR)\b/g));
}

const PINNED = /^[a-z0-9./-]+:\d+\.\d+[\w.-]*$/;
const SECRET_NAME = /PASSWORD|PWD|TOKEN|SECRET|KEY|DATABASE_URL/;
/** Of `@temporalio/envconfig`, as far as the file uses them. */
const TEMPORAL_VARIABLES = new Set(['TEMPORAL_ADDRESS', 'TEMPORAL_NAMESPACE']);

/** Everything in the file that the programs, the Dockerfile or the rules of this project contradict. */
export function faultsOf(file: ComposeFile, facts: ProgramFacts): string[] {
  return [
    ...Object.entries(file.services).flatMap(([name, service]) => [
      ...imageFaults(name, service),
      ...secretFaults(name, service, file),
      ...portFaults(name, service),
      ...mountFaults(name, service, facts),
      ...(isOurs(service) ? programFaults(name, service, facts) : []),
      ...lifeFaults(name, service, file),
    ]),
    ...Object.entries(file.secrets).flatMap(([name, { file: path }]) =>
      path.startsWith('${SWITCHBOARD_SECRETS_DIR:?') ? [] : [`secret ${name}: ${path} has a default place`],
    ),
  ];
}

function isOurs(service: Service): boolean {
  return service.image?.startsWith('switchboard:') ?? false;
}

function imageFaults(name: string, { image, user }: Service): string[] {
  const faults = PINNED.test(image ?? '') ? [] : [`${name}: image ${image} is not pinned to a version`];
  return user === 'root' || user?.startsWith('0') ? [...faults, `${name}: runs as root`] : faults;
}

/** A secret is a file; a variable may only say where that file is. */
function secretFaults(name: string, { environment, secrets }: Service, file: ComposeFile): string[] {
  const inClear = Object.entries(environment).filter(
    ([variable, value]) => SECRET_NAME.test(variable) && !/_(FILE|DIR)$/.test(variable) && value !== '',
  );
  const files = Object.values(environment).filter((value) => /^\/run\/secrets\/./.test(value));
  const missing = files.map((path) => path.replace('/run/secrets/', '')).filter((secret) => !secrets.includes(secret));
  return [
    ...inClear.map(([variable]) => `${name}: ${variable} holds a secret`),
    ...missing.map((secret) => `${name}: the secret ${secret} is used and not given`),
    ...secrets.filter((secret) => !(secret in file.secrets)).map((secret) => `${name}: there is no secret ${secret}`),
  ];
}

function portFaults(name: string, { ports, environment }: Service): string[] {
  return ports.flatMap((port) => {
    const [address, , inside] = port.split(':');
    const served = Object.entries(environment).filter(([variable]) => variable.endsWith('_PORT'));
    return [
      ...(address === '127.0.0.1' ? [] : [`${name}: port ${port} is not bound to 127.0.0.1`]),
      ...(served.some(([, value]) => value === inside) ? [] : [`${name}: nothing serves port ${inside}`]),
    ];
  });
}

function mountFaults(name: string, { volumes }: Service, { hasFile }: ProgramFacts): string[] {
  const ours = volumes.filter((volume) => volume.startsWith('./')).map((volume) => volume.split(':')[0] ?? '');
  return ours.filter((path) => !hasFile(path)).map((path) => `${name}: there is no file ${path}`);
}

function programFaults(name: string, { command = [], environment, secrets }: Service, facts: ProgramFacts): string[] {
  const unknown = Object.keys(environment).filter(
    (variable) => !facts.variables.has(variable) && !TEMPORAL_VARIABLES.has(variable),
  );
  return [
    ...command.filter((path) => !facts.hasProgram(path)).map((path) => `${name}: there is no program ${path}`),
    ...unknown.map((variable) => `${name}: no program reads ${variable}`),
    ...(secrets.includes('switchboard_password') ? [] : [`${name}: cannot log in to its database`]),
  ];
}

function lifeFaults(name: string, service: Service, file: ComposeFile): string[] {
  const isJob = Object.values(file.services).some(
    (other) => other.depends_on[name]?.condition === 'service_completed_successfully',
  );
  const wanted = isJob ? 'on-failure' : 'unless-stopped';
  const needed = Object.entries(service.depends_on);
  return [
    ...(service.restart === wanted ? [] : [`${name}: its restart policy is ${service.restart}, not ${wanted}`]),
    ...needed.filter(([other]) => !(other in file.services)).map(([other]) => `${name}: there is no service ${other}`),
    ...needed
      .filter(([other, { condition }]) => condition === 'service_healthy' && !file.services[other]?.healthcheck)
      .map(([other]) => `${name}: waits for the health of ${other}, which has no check`),
  ];
}
