import { describe, expect, it } from 'vitest';

import { toNtfy } from '../../../../../functions/notify/channels/ntfy.ts';
import { makeButton, makeMessage } from '../../../../support/messages.ts';

describe('toNtfy', () => {
  it('writes the document', () => {
    expect(toNtfy(makeMessage({ title: 't', body: 'b' }), 'alerts')).toEqual({
      topic: 'alerts',
      sequence_id: 'ag-0123456789abcdef',
      title: 't',
      message: 'b',
      priority: 5,
      tags: ['severity=critical', 'kind=opened', 'category=workload', 'namespace=production', 'cluster=home'],
      click: 'https://alertgest.example.org/issues/1',
      actions: [{ action: 'view', label: 'Runbook', url: 'https://runbooks.example.org/memory' }],
    });
  });

  it.each([
    ['critical', 5],
    ['warning', 3],
    ['info', 2],
    ['none', 2],
    ['unknown', 3],
  ] as const)('maps %s to %i', (severity, priority) => {
    expect(toNtfy(makeMessage({}, { severity }), 't').priority).toBe(priority);
    expect(toNtfy(makeMessage({}, { severity, quiet: true }), 't').priority).toBe(1);
  });

  it.each([
    ['one below', 4_095, 4_095],
    ['at', 4_096, 4_096],
    ['one above', 4_097, 4_096],
  ])('keeps a body %s the limit within 4,096 bytes', (_name, length, expected) => {
    const { message } = toNtfy(makeMessage({ body: 'x'.repeat(length) }), 't');
    expect(Buffer.byteLength(message)).toBe(expected);
    expect(message.endsWith('…')).toBe(length > 4_096);
  });

  it('counts bytes, not characters', () => {
    const { message } = toNtfy(makeMessage({ body: '🔥'.repeat(1_025) }), 't');
    expect(message).toBe(`${'🔥'.repeat(1_023)}…`);
  });

  it('keeps the escaped document within what the server reads', () => {
    const document = toNtfy(makeMessage({ body: '"\\'.repeat(2_048), title: '"'.repeat(900) }), 't');
    expect(Buffer.byteLength(JSON.stringify(document))).toBeLessThanOrEqual(8_000);
    expect(document.message.length).toBeGreaterThan(2_000);
  });

  it('keeps the sequence id to what a server takes', () => {
    expect(toNtfy(makeMessage({ key: `ag/é ${'x'.repeat(90)}` }), 't').sequence_id).toMatch(/^[-\w]{64}$/);
  });

  it('has a button whose token is in a header, never in its address', () => {
    const button = makeButton();
    const document = toNtfy(makeMessage({ button }), 't');
    expect(document).toMatchObject({ click: button.pageUrl });
    expect(document.actions).toEqual([
      {
        action: 'http',
        label: 'Not concerning',
        url: button.act?.url,
        method: 'POST',
        headers: { 'X-Alertgest-Decision': button.act?.token },
        clear: true,
      },
      { action: 'view', label: 'Details', url: button.pageUrl },
      { action: 'view', label: 'Runbook', url: 'https://runbooks.example.org/memory' },
    ]);
    expect(toNtfy(makeMessage({ button: makeButton({ act: null }) }), 't').actions).toEqual([
      { action: 'view', label: 'Details', url: button.pageUrl },
      { action: 'view', label: 'Runbook', url: 'https://runbooks.example.org/memory' },
    ]);
  });

  it('stays within the limits with every button, whatever the text is', () => {
    const document = toNtfy(
      makeMessage({
        body: '"\\'.repeat(4_000),
        title: '🔥'.repeat(900),
        button: makeButton(),
        runbookUrl: `https://r.example.org/${'x'.repeat(480)}`,
      }),
      't',
    );
    expect(Buffer.byteLength(JSON.stringify(document))).toBeLessThanOrEqual(8_000);
    expect(document.actions).toHaveLength(3);
  });
});
