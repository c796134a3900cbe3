import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { renderCloudInit } from '../../../adapters/cloud-init/render.ts';
import { generateHostKey } from '../../../adapters/ssh/host-key.ts';

const hostKey = generateHostKey();
const request = { instanceId: '4f1c', hostname: 'web-01', hostKey, sshAuthorizedKeys: ['ssh-ed25519 AAAA ops'] };

describe('cloud-init documents', () => {
  it('name the instance and the host', () => {
    expect(parse(renderCloudInit(request).metaData)).toEqual({ 'instance-id': '4f1c', 'local-hostname': 'web-01' });
  });

  it('start with the line without which cloud-init ignores them', () => {
    expect(renderCloudInit(request).userData.split('\n')[0]).toBe('#cloud-config');
  });

  it('inject the host key unchanged and remove every other', () => {
    expect(parse(renderCloudInit(request).userData)).toEqual({
      hostname: 'web-01',
      preserve_hostname: false,
      ssh_deletekeys: true,
      ssh_keys: { ed25519_private: hostKey.privateKey, ed25519_public: hostKey.publicKey },
      ssh_authorized_keys: ['ssh-ed25519 AAAA ops'],
    });
  });

  it("keep what the operator's user data asks for", () => {
    const userData = '#cloud-config\npackages: [nginx]\nruncmd:\n  - [systemctl, enable, nginx]\n';
    const rendered: unknown = parse(renderCloudInit({ ...request, userData }).userData);
    expect(rendered).toMatchObject({ packages: ['nginx'], runcmd: [['systemctl', 'enable', 'nginx']] });
  });

  it('let no user data replace the host key or the host name, which the run checks afterwards', () => {
    const userData = '#cloud-config\nhostname: other\nssh_deletekeys: false\nssh_keys: {ed25519_private: theirs}\n';
    const rendered: unknown = parse(renderCloudInit({ ...request, userData }).userData);
    expect(rendered).toEqual(parse(renderCloudInit(request).userData));
  });

  it('let the authorised keys of both log in, each once', () => {
    const userData = '#cloud-config\nssh_authorized_keys:\n  - ssh-ed25519 BBBB dev\n  - ssh-ed25519 AAAA ops\n';
    const rendered: unknown = parse(renderCloudInit({ ...request, userData }).userData);
    expect(rendered).toMatchObject({ ssh_authorized_keys: ['ssh-ed25519 BBBB dev', 'ssh-ed25519 AAAA ops'] });
  });

  it('take user data that is only the header', () => {
    expect(renderCloudInit({ ...request, userData: '#cloud-config\n' })).toEqual(renderCloudInit(request));
  });

  it('refuse user data that is no mapping', () => {
    expect(() => renderCloudInit({ ...request, userData: '#cloud-config\n- a\n' })).toThrow('not a YAML mapping');
  });
});
