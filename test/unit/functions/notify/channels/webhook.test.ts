import { describe, expect, it } from 'vitest';

import { toWebhook } from '../../../../../functions/notify/channels/webhook.ts';
import { makeButton, makeMessage } from '../../../../support/messages.ts';

describe('toWebhook', () => {
  it('writes version 1 of the document', () => {
    const message = makeMessage({ title: 't', body: 'b' });
    expect(Object.keys(toWebhook(message))).toEqual([
      'version',
      'noticeKey',
      'incidentKey',
      'kind',
      'severity',
      'priority',
      'resolved',
      'title',
      'body',
      'link',
      'runbookUrl',
      'decision',
      'tags',
      'facts',
    ]);
    expect(toWebhook(message)).toMatchObject({ version: '1', noticeKey: 'notice-1', facts: { episodes: 3 } });
  });

  it('carries the way to decide as it is', () => {
    expect(toWebhook(makeMessage({ button: makeButton() })).decision).toEqual(makeButton());
    expect(toWebhook(makeMessage()).decision).toBeNull();
  });
});
