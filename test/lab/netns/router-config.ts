import { stringify } from 'yaml';
import type { Deployment } from './namespaces.ts';

const virtualTenant = '10.10.0.1';
const virtualPublic = '192.0.2.1';

interface RouterOptions {
  readonly name: string;
  /** The last part of its own addresses; the other router's. */
  readonly number: 2 | 3;
  readonly peer: 2 | 3;
  readonly priority: number;
  readonly authorizedKey: string;
}

const rules = `flush ruleset
table ip nat {
  chain postrouting {
    type nat hook postrouting priority srcnat
    ip saddr 10.10.0.0/24 oifname "eth2" snat to ${virtualPublic}
  }
}
`;

function instance(name: string, device: string, id: number, address: string, priority: number): string {
  return `vrrp_instance ${name} {
  state BACKUP
  nopreempt
  interface ${device}
  virtual_router_id ${id}
  priority ${priority}
  advert_int 0.5
  virtual_ipaddress { ${address}/24 }
}
`;
}

/** The public side follows the tenant side: both addresses are always of the same router. */
function keepalived(priority: number): string {
  return `global_defs {
  vrrp_version 3
  vrrp_garp_master_delay 1
  vrrp_priority -20
}
vrrp_sync_group router { group { tenant public } }
${instance('tenant', 'eth1', 51, virtualTenant, priority)}
${instance('public', 'eth2', 52, virtualPublic, priority)}`;
}

/** What the peer learns goes straight into its kernel: there is no moment of takeover at which entries are missing. */
function conntrackd({ number, peer }: RouterOptions): string {
  return `Sync {
  Mode FTFW {
    DisableExternalCache on
  }
  UDP {
    IPv4_address 10.10.0.${number}
    IPv4_Destination_Address 10.10.0.${peer}
    Port 3780
    Interface eth1
    Checksum on
  }
}
General {
  HashSize 8192
  HashLimit 65536
  LockFile /run/conntrackd.lock
  UNIX {
    Path /run/conntrackd.ctl
  }
  Filter From Kernelspace {
    Protocol Accept {
      TCP
      UDP
      ICMP
    }
    Address Ignore {
      IPv4_address 10.10.0.${number}
      IPv4_address 10.10.0.${peer}
    }
  }
}
`;
}

/** One of a redundant pair that hides the tenant behind one public address. */
export function routerOfPair(options: RouterOptions): Deployment {
  const { name, number, priority, authorizedKey } = options;
  return {
    name,
    template: 'router',
    networks: ['management', 'tenant', 'public'],
    networkConfig: stringify({
      version: 2,
      ethernets: {
        eth0: { dhcp4: true },
        eth1: { addresses: [`10.10.0.${number}/24`] },
        eth2: { addresses: [`192.0.2.${number}/24`] },
      },
    }),
    cloudConfig: {
      disable_root: false,
      ssh_authorized_keys: [authorizedKey],
      write_files: [
        { path: '/etc/nftables.conf', content: rules },
        { path: '/etc/keepalived/keepalived.conf', content: keepalived(priority) },
        { path: '/etc/conntrackd/conntrackd.conf', content: conntrackd(options) },
      ],
      runcmd: [
        'sysctl -q -w net.ipv4.ip_forward=1 net.netfilter.nf_conntrack_tcp_be_liberal=1',
        ['systemctl', 'enable', '--now', 'nftables', 'conntrackd', 'keepalived'],
      ],
    },
  };
}

/** A single router that gives addresses to its tenant. */
export function dhcpRouter(authorizedKey: string): Deployment {
  return {
    name: 'router-1',
    template: 'router',
    networks: ['management', 'tenant'],
    networkConfig: stringify({
      version: 2,
      ethernets: { eth0: { dhcp4: true }, eth1: { addresses: ['10.10.0.1/24'] } },
    }),
    cloudConfig: {
      disable_root: false,
      ssh_authorized_keys: [authorizedKey],
      write_files: [
        {
          path: '/etc/dnsmasq.conf',
          content:
            'interface=eth1\nbind-interfaces\nno-resolv\ndomain=tenant.example\ndhcp-range=10.10.0.100,10.10.0.199,1h\n',
        },
      ],
      runcmd: [['systemctl', 'enable', '--now', 'dnsmasq']],
    },
  };
}
