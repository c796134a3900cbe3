import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Trouble, say } from './trouble.js';
import { lastLine, runQuietly } from './run.js';

/**
 * Programs that some tests use, with the Debian package that has them: second opinions beside our own code, and what the lab's namespace
 * guests are made of. `service`: what the package would start, now and at every boot of the machine.
 * @type {readonly { program: string, debianPackage: string, service?: string }[]}
 */
const testPrograms = [
  { program: 'mkfs.vfat', debianPackage: 'dosfstools' },
  { program: 'mcopy', debianPackage: 'mtools' },
  { program: 'genisoimage', debianPackage: 'genisoimage' },
  { program: 'ssh', debianPackage: 'openssh-client' },
  { program: 'openssl', debianPackage: 'openssl' },
  { program: 'zsh', debianPackage: 'zsh' },
  { program: 'fish', debianPackage: 'fish' },
  { program: 'docker-compose', debianPackage: 'docker-compose' },
  { program: 'fence_xenapi', debianPackage: 'fence-agents' },
  { program: 'python3', debianPackage: 'python3' },
  { program: 'ip', debianPackage: 'iproute2' },
  { program: 'ping', debianPackage: 'iputils-ping' },
  { program: 'busybox', debianPackage: 'busybox' },
  { program: 'udhcpc', debianPackage: 'udhcpc' },
  { program: 'nft', debianPackage: 'nftables' },
  { program: 'conntrack', debianPackage: 'conntrack' },
  { program: 'dnsmasq', debianPackage: 'dnsmasq-base' },
  { program: 'sshd', debianPackage: 'openssh-server', service: 'ssh.service' },
  { program: 'keepalived', debianPackage: 'keepalived', service: 'keepalived.service' },
  { program: 'conntrackd', debianPackage: 'conntrackd', service: 'conntrackd.service' },
  { program: 'haproxy', debianPackage: 'haproxy', service: 'haproxy.service' },
];

/** While this program answers 101, no package starts its service (invoke-rc.d(8)). */
const servicePolicy = '/usr/sbin/policy-rc.d';

/**
 * Installs missing test programs when that can be done without asking (root on Debian or Ubuntu); otherwise says how.
 * @param {Record<string, string | undefined>} env CI=true makes a missing program a failure, not a skipped test
 */
export function ensureTestPrograms(env) {
  const missing = testPrograms.filter(({ program }) => findProgram(program, env) === undefined);
  if (missing.length === 0) return;
  const packages = missing.map(({ debianPackage }) => debianPackage);
  const byHand = `apt-get update && apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  if (process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
    say(`Installing Debian packages for the tests: ${packages.join(', ')}.`);
    const services = missing.flatMap(({ service }) => service ?? []);
    const trouble = withoutServices(services, () => aptInstall(packages, env));
    if (trouble === undefined) return;
    reportMissing(`apt-get could not install ${packages.join(', ')}: ${trouble}.`, byHand, env);
  } else {
    const names = missing.map(({ program }) => program);
    reportMissing(`Programs that some tests need are missing: ${names.join(', ')}.`, `sudo sh -c '${byHand}'`, env);
  }
}

/**
 * @param {string} problem
 * @param {string} cure a command
 * @param {Record<string, string | undefined>} env
 */
function reportMissing(problem, cure, env) {
  if (env.CI === 'true') throw new Trouble(`${problem} No test was run; install them with: ${cure}`);
  say(`${problem} The tests that need them are skipped; install them with: ${cure}`);
}

/**
 * Programs are wanted, not their services: none is started on this machine, neither now nor at its next boot. Whoever wrote a policy
 * of their own keeps it.
 * @template T
 * @param {readonly string[]} services
 * @param {() => T} install
 * @returns {T}
 */
function withoutServices(services, install) {
  const isOurs = services.length > 0 && !existsSync(servicePolicy);
  if (isOurs) writeFileSync(servicePolicy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    return install();
  } finally {
    if (isOurs) rmSync(servicePolicy);
    for (const service of services) runQuietly('systemctl', ['disable', service]);
  }
}

/**
 * @param {readonly string[]} packages
 * @param {Record<string, string | undefined>} env
 * @returns {string | undefined} what went wrong
 */
function aptInstall(packages, env) {
  const quiet = { ...env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = () => runQuietly('apt-get', ['install', '-y', '--no-install-recommends', ...packages], quiet);
  if (install().ok) return undefined;
  say('Fetching the package lists with apt-get update first.');
  const update = runQuietly('apt-get', ['update'], quiet);
  if (!update.ok) return lastLine(update.output);
  const second = install();
  return second.ok ? undefined : lastLine(second.output);
}

/**
 * @param {string} name
 * @param {Record<string, string | undefined>} env its PATH is searched, then the system folders that only root has in it
 * @returns {string | undefined}
 */
export function findProgram(name, env) {
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return [...folders, '/usr/sbin', '/sbin'].map((folder) => join(folder, name)).find(isExecutable);
}

/** @param {string} path */
export function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
