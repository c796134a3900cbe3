import { describe, expect, it } from '@jest/globals';
import proto from '@temporalio/proto';
import { msToTs } from '@temporalio/common/lib/time.js';
import { randomUUID } from 'node:crypto';
import { ensureSearchAttributes, keepClosedWorkflows, withTemporal } from '../../bin/stack/temporal.ts';
import { createTestNamespace, testTemporalAddress } from '../support/stack.ts';

const { IndexedValueType } = proto.temporal.api.enums.v1;

describe('the preparation of a Temporal server', () => {
  it('adds the search attributes once and may be repeated', async () => {
    const namespace = await createTestNamespace();
    const attributes = await withTemporal({ address: testTemporalAddress() }, async (connection) => {
      await ensureSearchAttributes(connection, namespace);
      return connection.operatorService.listSearchAttributes({ namespace });
    });
    const ours = Object.keys(attributes.customAttributes).filter((name) => name.startsWith('Ops'));
    const names = ['Operation', 'Pool', 'RequestedBy', 'State', 'Target', 'Ticket', 'Wave'];
    expect(ours.sort()).toEqual(names.map((name) => `Ops${name}`));
  });

  it('refuses a namespace where one of them has another type, and says which', async () => {
    const namespace = `test-${randomUUID()}`;
    await withTemporal({ address: testTemporalAddress() }, async (connection) => {
      const workflowExecutionRetentionPeriod = msToTs('1 day');
      await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod });
      await connection.operatorService.addSearchAttributes({
        namespace,
        searchAttributes: { OpsWave: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD },
      });
      await expect(ensureSearchAttributes(connection, namespace)).rejects.toThrow('OpsWave of another type than int');
    });
  });

  it('keeps closed workflows for 30 days on a server of our own', async () => {
    const namespace = await createTestNamespace();
    const described = await withTemporal({ address: testTemporalAddress() }, async (connection) => {
      await keepClosedWorkflows(connection, namespace);
      return connection.workflowService.describeNamespace({ namespace });
    });
    expect(Number(described.config?.workflowExecutionRetentionTtl?.seconds)).toBe(30 * 24 * 3600);
  });
});
