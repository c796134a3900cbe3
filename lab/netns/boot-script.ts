import { posix } from 'node:path';
import type { GuestConfig } from '../guests/cloud-init.ts';
import type { WrittenFile } from '../guests/user-data.ts';

/** As one word for the shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function fileWith(path: string, content: Buffer | string): string {
  const encoded = Buffer.from(content).toString('base64').replace(/.{76}/g, '$&\n');
  return `base64 -d >${quoted(path)} <<'END'\n${encoded}\nEND`;
}

/** What every start sets anew; a network interface has no configuration yet. */
function everyBoot(hostname: string, sshPorts: readonly number[]): string[] {
  return [
    `hostname ${quoted(hostname)}`,
    fileWith('/etc/hostname', `${hostname}\n`),
    fileWith('/etc/hosts', `127.0.0.1 localhost\n127.0.1.1 ${hostname}\n::1 localhost\n`),
    'rm -f /etc/resolv.conf',
    ': >/etc/resolv.conf',
    'mkdir -p /run/cloud-init /etc/ssh/sshd_config.d',
    fileWith('/etc/ssh/sshd_config.d/ports.conf', sshPorts.map((port) => `Port ${port}\n`).join('')),
  ];
}

/** Takes out of the image what is the machine's own: what it starts, its keys, its passwords. */
const freshImage = [
  'rm -rf /etc/systemd/system /etc/ssh/sshd_config.d /etc/ssh/ssh_host_*',
  'mkdir -p /etc/systemd/system /etc/ssh/sshd_config.d',
  'chmod 700 /root',
  "sed -i 's/^\\([^:]*\\):[^:]*:/\\1:*:/' /etc/shadow",
];

/** A password that no input matches: without one sshd takes the account for a locked one. */
function user([name, keys]: readonly [string, readonly string[]]): string[] {
  const who = quoted(name);
  return [
    `id -u ${who} >/dev/null 2>&1 || useradd --no-create-home --shell /bin/bash --password '*' ${who}`,
    `home=$(getent passwd ${who} | cut -d: -f6)`,
    `[ ${who} = root ] || install -d -m 755 -o ${who} "$home"`,
    `install -d -m 700 -o ${who} "$home/.ssh"`,
    fileWith('/run/keys', keys.map((key) => `${key}\n`).join('')),
    `install -m 600 -o ${who} /run/keys "$home/.ssh/authorized_keys"`,
    'rm /run/keys',
  ];
}

function hostKey([type, key]: readonly [string, string]): string[] {
  const path = `/etc/ssh/ssh_host_${type}_key`;
  return [fileWith(path, key.endsWith('\n') ? key : `${key}\n`), `chmod 600 ${path}`];
}

function writtenFile([path, { content, permissions, owner }]: readonly [string, WrittenFile]): string[] {
  return [
    `mkdir -p ${quoted(posix.dirname(path))}`,
    fileWith(path, content),
    `chmod ${permissions} ${quoted(path)}`,
    `chown ${quoted(owner)} ${quoted(path)}`,
  ];
}

/** cloud-init's last stage, which goes on while the machine already answers. */
function runCommands(commands: GuestConfig['commands']): string {
  const lines = commands.map((command) => (typeof command === 'string' ? command : command.map(quoted).join(' ')));
  return fileWith('/var/lib/cloud/runcmd', `${lines.join('\n')}\n`);
}

/**
 * The script that turns the image into the configured machine, up to the network. Only a new instance is configured by
 * user-data, as cloud-init does it: one that was shut down keeps what was changed on it.
 */
export function configureScript(
  config: GuestConfig,
  hostKeys: ReadonlyMap<string, string>,
  sshPorts: readonly number[],
): string {
  const instance = [
    ...freshImage,
    ...[...config.authorizedKeys].flatMap(user),
    ...[...hostKeys].flatMap(hostKey),
    ...[...config.files].flatMap(writtenFile),
    'mkdir -p /var/lib/cloud',
    runCommands(config.commands),
    fileWith('/var/lib/cloud/instance-id', config.instanceId),
  ];
  return [
    'set -eu',
    `if [ "$(cat /var/lib/cloud/instance-id 2>/dev/null)" != ${quoted(config.instanceId)} ]; then`,
    ...instance,
    'else : >/var/lib/cloud/runcmd',
    'fi',
    ...everyBoot(config.hostname, sshPorts),
  ].join('\n');
}

/** Starts what the machine is to start, SSH first. */
export const servicesScript = `set -eu
systemctl start ssh
systemctl default || :
`;

/** Runs runcmd on its own, with its output on the console. */
export const finalScript = `
{ sh /var/lib/cloud/runcmd && echo done >/run/cloud-init/status || echo error >/run/cloud-init/status; } </dev/null >/run/console 2>&1 &
`;
