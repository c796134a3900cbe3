import { accessSync, constants, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Trouble, say } from './trouble.js';
import { lastLine, runQuietly } from './run.js';

/**
 * Programs that some tests use, with the Debian package that has them: second opinions beside our own code, and what the lab's namespace
 * guests are made of. `units`: what the package would start, now and at every boot of the machine.
 * @type {readonly { program: string, debianPackage: string, units?: readonly string[] }[]}
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
  { program: 'sshd', debianPackage: 'openssh-server', units: ['ssh.service', 'ssh.socket'] },
  { program: 'keepalived', debianPackage: 'keepalived', units: ['keepalived.service'] },
  { program: 'conntrackd', debianPackage: 'conntrackd', units: ['conntrackd.service'] },
  { program: 'haproxy', debianPackage: 'haproxy', units: ['haproxy.service'] },
];

/** While this program answers 101, no package starts its service (invoke-rc.d(8)). */
const servicePolicy = '/usr/sbin/policy-rc.d';
/** Ours, by which one that an interrupted run has left behind is known. */
const policyText = '#!/bin/sh\n# Written by the tests of Switchboard while they install packages.\nexit 101\n';

/**
 * Installs missing test programs when that can be done without asking (root on Debian or Ubuntu); otherwise says how.
 * @param {Record<string, string | undefined>} env CI=true makes a missing program a failure, not a skipped test
 */
export function ensureTestPrograms(env) {
  if (process.getuid?.() === 0 && policyIsOurs()) rmSync(servicePolicy);
  const missing = missingPrograms(env);
  if (missing.length === 0) return;
  const isDebian = existsSync('/etc/debian_version');
  if (process.getuid?.() !== 0 || !isDebian) {
    const names = missing.map(({ program }) => program);
    const cure = isDebian ? `sudo sh -c '${byHand(missing)}'` : `on Debian or Ubuntu: ${byHand(missing)}`;
    return reportMissing(`Programs that some tests need are missing: ${names.join(', ')}.`, cure, env);
  }
  const packages = missing.map(({ debianPackage }) => debianPackage);
  say(`Installing Debian packages for the tests: ${packages.join(', ')}.`);
  const units = missing.flatMap(({ units: started = [] }) => started);
  const trouble = withoutServices(units, () => aptInstall(packages, env));
  const left = missingPrograms(env);
  if (left.length === 0) return;
  const names = left.map(({ debianPackage }) => debianPackage);
  reportMissing(`apt-get could not install ${names.join(', ')}: ${trouble ?? 'no error'}.`, byHand(left), env);
}

/** @param {Record<string, string | undefined>} env */
const missingPrograms = (env) => testPrograms.filter(({ program }) => findProgram(program, env) === undefined);

/** @param {readonly { debianPackage: string }[]} missing */
const byHand = (missing) =>
  `apt-get update && apt-get install -y --no-install-recommends ${missing.map((item) => item.debianPackage).join(' ')}`;

/**
 * @param {string} problem
 * @param {string} cure a command
 * @param {Record<string, string | undefined>} env
 */
function reportMissing(problem, cure, env) {
  if (env.CI === 'true') throw new Trouble(`${problem} No test was run; install them with: ${cure}`);
  say(`${problem} The tests that need them are skipped; install them with: ${cure}`);
}

/** Left behind by a run that was interrupted: it would keep every later installation on this machine from starting its service. */
const policyIsOurs = () => existsSync(servicePolicy) && readFileSync(servicePolicy, 'utf8') === policyText;

/**
 * Programs are wanted, not their services: none is started on this machine, neither now nor at its next boot. Whoever wrote a policy
 * of their own keeps it.
 * @template T
 * @param {readonly string[]} units
 * @param {() => T} install
 * @returns {T}
 */
function withoutServices(units, install) {
  const isOurs = !existsSync(servicePolicy);
  if (isOurs) writeFileSync(servicePolicy, policyText, { mode: 0o755 });
  try {
    return install();
  } finally {
    if (isOurs) rmSync(servicePolicy);
    for (const unit of units) runQuietly('systemctl', ['disable', unit]);
  }
}

/**
 * Also where there are no package lists yet, where an earlier installation was interrupted, where another one is under way (fresh
 * machines update themselves), and where one of the packages is not to be had: the others come all the same.
 * @param {readonly string[]} packages
 * @param {Record<string, string | undefined>} env
 * @returns {string | undefined} what went wrong last
 */
function aptInstall(packages, env) {
  const quiet = { ...env, DEBIAN_FRONTEND: 'noninteractive' };
  const options = ['-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=300'];
  /** @param {readonly string[]} names */
  const install = (names) => runQuietly('apt-get', ['install', ...options, ...names], quiet);
  if (install(packages).ok) return undefined;
  say('Fetching the package lists with apt-get update first.');
  runQuietly('dpkg', ['--configure', '-a'], quiet);
  const update = runQuietly('apt-get', ['update'], quiet);
  runQuietly('apt-get', ['install', '--fix-broken', ...options], quiet);
  if (install(packages).ok) return undefined;
  const failures = packages.map((name) => install([name])).filter(({ ok }) => !ok);
  return (update.ok ? failures : [update, ...failures]).map(({ output }) => lastLine(output)).at(0);
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
