import { describe, expect, it } from '@jest/globals';
import { findOperation, OPERATIONS, workflowIdFor } from '../../domain/operations.ts';
import type { Operation } from '../../domain/operations.ts';

const deployVm = { pool: 'ams1', name: 'web-01', template: 'debian-12', networks: ['tenant'] };

function row(name: string): Operation {
  const found = findOperation(name);
  if (found === undefined) throw new Error(`no ${name} in the catalogue`);
  return found;
}

function faultsOf(input: unknown): string[] {
  const result = row('deploy-vm').input.safeParse(input);
  return result.success ? [] : result.error.issues.map((issue) => issue.path.join('/'));
}

describe('the catalogue', () => {
  it('fills in what an operator need not say', () => {
    expect(row('deploy-vm').input.parse(deployVm)).toMatchObject({ vcpus: 1, memoryMiB: 1024, disks: [] });
  });

  it.each([
    ['a name that is no host name', { name: 'Web_01' }, 'name'],
    ['no memory', { memoryMiB: 0 }, 'memoryMiB'],
    ['more CPUs than any guest takes', { vcpus: 65 }, 'vcpus'],
    ['half a CPU', { vcpus: 0.5 }, 'vcpus'],
    ['no network at all', { networks: [] }, 'networks'],
    ['a disk over the limit of VHD', { disks: [{ name: 'data', sizeGiB: 2048 }] }, 'disks/0/sizeGiB'],
    ['a private key where a public one belongs', { sshAuthorizedKeys: ['-----BEGIN'] }, 'sshAuthorizedKeys/0'],
    ['user data that is no cloud-config', { userData: 'rm -rf /' }, 'userData'],
    ['user data that is broken YAML', { userData: '#cloud-config\na: [' }, 'userData'],
    ['user data that is a list', { userData: '#cloud-config\n- a' }, 'userData'],
  ])('refuses %s and names the field', (_what, part, field) => {
    expect(faultsOf({ ...deployVm, ...part })).toContain(field);
  });

  it('refuses a name that Temporal could not take into a workflow id', () => {
    const nameOf = (name: string) => row('delete-vm').input.safeParse({ pool: 'ams1', name }).success;
    expect(nameOf('ü'.repeat(90))).toBe(true);
    expect(nameOf('ü'.repeat(91))).toBe(false);
  });

  it('refuses fields it does not know', () => {
    expect(row('deploy-vm').input.safeParse({ ...deployVm, cpus: 2 }).success).toBe(false);
  });

  it('gives a creation a workflow id of its own, and an existing object one id for all', () => {
    expect(workflowIdFor(row('deploy-vm'), 'run-1', deployVm)).toBe('deploy-vm/run-1');
    expect(workflowIdFor(row('delete-vm'), 'run-1', deployVm)).toBe('delete-vm/pool/ams1/vm/web-01');
  });

  it('locks the same object by the same words, whatever the operation', () => {
    const resources = OPERATIONS.map(({ name }) => row(name).resource(deployVm));
    expect(new Set(resources)).toEqual(new Set(['pool/ams1/vm/web-01']));
  });

  it('says in one line what will be done', () => {
    expect(row('deploy-vm').summary(deployVm)).toBe('Deploy VM web-01 on pool ams1 from template debian-12');
  });
});
