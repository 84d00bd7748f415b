import { CloudEvent } from 'cloudevents';
import { describe, expect, it } from 'vitest';

import { createDeadLetterHandler } from '../../../../functions/receive/handler.ts';
import type { OwnIssue } from '../../../../functions/receive/own-issue.ts';
import { createLog } from '../../../../shared/log.ts';
import type { DeadLetter } from '../../../../shared/postgres/records.ts';

const context = {
  log: createLog('receive', 'silent'),
  signal: new AbortController().signal,
  traceparent: '',
  dryRun: false,
};

describe('a dead letter', () => {
  it.each([
    [
      'its Trigger, where the channel-based broker names one',
      'http://broker-filter.knative-eventing.svc.cluster.local/triggers/alertgest/notify-notice-admitted/4f1c',
      'notify-notice-admitted',
    ],
    ['the host that did not take it', 'http://notify.alertgest.svc.cluster.local/', 'notify'],
    ['its type, when an address says nothing', 'http://10.0.0.7:8080/', 'dev.alertgest.notice.admitted'],
    ['its type, when nobody said where it was going', null, 'dev.alertgest.notice.admitted'],
    ['its type, when the place is no URL', 'nowhere', 'dev.alertgest.notice.admitted'],
  ])('is an issue of %s', async (_name, knativeerrordest, reason) => {
    expect(await issuesOf(knativeerrordest === null ? {} : { knativeerrordest })).toEqual([
      expect.objectContaining({ alertname: 'AlertgestDeadLetter', reason }),
    ]);
  });

  it('says what was answered, in short', async () => {
    const knativeerrordata = Buffer.from(`bad\0 ${'x'.repeat(900)}`).toString('base64');
    const [issue] = await issuesOf({ knativeerrorcode: 400, knativeerrordata });
    expect(issue?.description).toContain('was answered 400: bad x');
    expect(issue?.description.length).toBeLessThan(600);
  });
});

async function issuesOf(extensions: Readonly<Record<string, unknown>>): Promise<OwnIssue[]> {
  const letters: DeadLetter[] = [];
  const issues: OwnIssue[] = [];
  const handle = createDeadLetterHandler({
    sweep: () => Promise.reject(new Error('nothing is swept here')),
    recordDeadLetter: async (letter) => void letters.push(letter),
    reportOwnIssue: async (issue) => issues.push(issue) > 0,
  });
  const event = new CloudEvent({
    id: '1',
    type: 'dev.alertgest.notice.admitted',
    source: '/alertgest/test/suppress-check',
    ...extensions,
  });
  expect(await handle(event, context)).toEqual([]);
  expect(letters).toHaveLength(1);
  return issues;
}
