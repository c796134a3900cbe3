import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';

/** The programs of namespace guests, each with the Debian package that has it. */
export const namespacePrograms = {
  ip: 'iproute2',
  sshd: 'openssh-server',
  udhcpc: 'udhcpc',
  busybox: 'busybox',
  ping: 'iputils-ping',
  nft: 'nftables',
  keepalived: 'keepalived',
  conntrackd: 'conntrackd',
  conntrack: 'conntrack',
  dnsmasq: 'dnsmasq-base',
  haproxy: 'haproxy',
} as const;

const folders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Why this machine cannot have namespace guests, and what to do; undefined when it can. */
export function namespaceTrouble(): string | undefined {
  if (process.platform !== 'linux') return 'Namespace guests need Linux.';
  if (process.getuid?.() !== 0) return 'Namespace guests need root: start the lab as root.';
  const missing = Object.entries(namespacePrograms).filter(([program]) => !isInstalled(program));
  if (missing.length > 0) {
    const packages = missing.map(([, name]) => name).join(' ');
    return `Programs are missing: ${missing.map(([program]) => program).join(', ')}. Install them with: apt-get install -y --no-install-recommends ${packages}`;
  }
  try {
    execFileSync('unshare', ['--net', '--mount', '--pid', '--fork', 'true'], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return `The kernel refuses new namespaces (${String(error)}): in a container, start it with --privileged.`;
  }
}

function isInstalled(program: string): boolean {
  return folders.some((folder) => {
    try {
      accessSync(`${folder}/${program}`, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
