import { chmodSync, copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What a guest has beside the machine's own files, where, and who may do what with it. */
const files = [
  { name: 'systemctl', path: 'usr/bin/systemctl', mode: 0o755 },
  { name: 'cloud-init', path: 'usr/bin/cloud-init', mode: 0o755 },
  { name: 'dnsmasq.service', path: 'usr/lib/systemd/system/dnsmasq.service', mode: 0o644 },
  { name: 'sshd_config', path: 'etc/ssh/sshd_config', mode: 0o644 },
  { name: 'default-ssh', path: 'etc/default/ssh', mode: 0o644 },
];

/** Makes a new disk an installed one; one that was installed before keeps what was changed on it. */
export function installImage(disk: string): void {
  const upper = join(disk, 'upper');
  if (existsSync(upper)) return;
  for (const { name, path, mode } of files) {
    const target = join(upper, path);
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(fileURLToPath(new URL(`./image/${name}`, import.meta.url)), target);
    chmodSync(target, mode);
  }
}
