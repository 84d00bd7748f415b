/** CloudEvents of strangers, binary and structured: read whole, or refused in words; and what is read can be stored. */
import type { CloudEvent } from 'cloudevents';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDeadLetterHandler } from '../../functions/receive/handler.ts';
import { parseEvent, toHttpMessage } from '../../shared/cloud-event.ts';
import { createEvent } from '../../shared/events.ts';
import { readNotice } from '../../shared/postgres/notices.ts';
import { createPool } from '../../shared/postgres/pool.ts';
import type { Pool } from '../../shared/postgres/pool.ts';
import { insertDeadLetter } from '../../shared/postgres/records.ts';
import type { Context } from '../../shared/serve.ts';
import { createTestDatabase } from '../support/database.ts';
import {
  hostileJson,
  hostileName,
  hostileText,
  mutate,
  mutations,
  patience,
  runs,
  unlessRefused,
} from '../support/fuzz.ts';
import { pino } from 'pino';

const event: unknown = {
  specversion: '1.0',
  id: '1',
  source: '/test',
  type: 'dev.alertgest.notice.received',
  subject: 'ag-1.opened',
  time: '2026-01-14T22:00:00Z',
  datacontenttype: 'application/json',
  severity: 'warning',
  data: { notice: 'ag-1.opened' },
};

/** What Node's parser lets through as a header's value. */
const headerValue = fc.oneof(
  hostileText.map((text) => text.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, '')),
  fc.constantFrom('1.0', '0.3', '', '/test', 'a', '%00', '2026-01-14T22:00:00Z', 'not a time'),
);
const attribute = fc.constantFrom(
  'id',
  'source',
  'type',
  'subject',
  'time',
  'specversion',
  'datacontenttype',
);
const extension = fc.oneof(
  fc.constantFrom('severity', 'constructor', 'validate', 'tojson', 'data', 'database64', 'traceparent'),
  fc.stringMatching(/^[a-z0-9]{1,12}$/),
);
const binary = fc
  .tuple(
    fc.dictionary(attribute, headerValue),
    fc.dictionary(extension, headerValue),
    fc.oneof(
      hostileJson.map((value) => JSON.stringify(value) ?? ''),
      hostileText,
    ),
  )
  .map(([attributes, extensions, body]) => ({
    headers: {
      'content-type': 'application/json',
      'ce-id': '1',
      'ce-specversion': '1.0',
      'ce-source': '/test',
      'ce-type': 'dev.alertgest.notice.received',
      ...Object.fromEntries(
        [...Object.entries(attributes), ...Object.entries(extensions)].map(([name, value]) => [
          `ce-${name}`,
          value,
        ]),
      ),
    },
    body: Buffer.from(body),
  }));
const structured = fc
  .oneof(
    mutations.map((changes) => mutate(event, changes)),
    fc
      .dictionary(hostileName, hostileJson, { maxKeys: 8 })
      .map((more) => ({ ...(event as object), ...more })),
    fc
      .dictionary(fc.oneof(attribute, extension), hostileText, { minKeys: 1, maxKeys: 2 })
      .map((more) => ({ ...(event as object), ...more })),
    hostileJson,
  )
  .map((value) => ({
    headers: { 'content-type': 'application/cloudevents+json' },
    body: Buffer.from(JSON.stringify(value) ?? ''),
  }));

/** The event, or null for one that is refused in words. */
function read({
  headers,
  body,
}: {
  headers: Record<string, string>;
  body: Buffer;
}): CloudEvent<unknown> | null {
  return unlessRefused(() => parseEvent(headers, body));
}

describe('fuzzed events', () => {
  it.each([
    ['binary', binary],
    ['structured', structured],
  ] as const)('in %s mode are refused in words or name type, id and source', (_mode, requests) => {
    fc.assert(
      fc.property(requests, (request) => {
        const parsed = read(request);
        if (parsed === null) return;
        expect(parsed.specversion).toBe('1.0');
        for (const text of [parsed.id, parsed.type, parsed.source]) {
          expect(text).toBeTypeOf('string');
          expect(text).not.toBe('');
          expect(text.isWellFormed() && !text.includes('\0')).toBe(true);
        }
        expect(Object.keys(Object.prototype)).toEqual([]);
      }),
      runs(500),
    );
  });

  it('of ours come back as they were sent', patience, () => {
    fc.assert(
      fc.property(fc.stringMatching(/^ag-[0-9a-f]{16}\.[a-z]{1,9}$/), hostileJson, (subject, data) => {
        const sent = createEvent(
          'dev.alertgest.notice.received',
          { cluster: 'test', name: 'receive' },
          subject,
          's',
          { data },
        );
        const { headers, body } = toHttpMessage(sent);
        const lower = Object.fromEntries(
          Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
        );
        const read = parseEvent(lower, Buffer.from(body));
        expect([read.id, read.subject, JSON.stringify(read.data)]).toEqual([
          sent.id,
          subject,
          JSON.stringify({ data }),
        ]);
      }),
      runs(200),
    );
  });
});

describe('Postgres', () => {
  let pool: Pool;
  const context: Context = {
    log: pino({ level: 'silent' }),
    signal: AbortSignal.timeout(120_000),
    traceparent: '',
    dryRun: false,
  };
  beforeAll(async () => {
    pool = createPool({ url: await createTestDatabase(), name: 'fuzz', size: 2 });
  });
  afterAll(() => pool.end());

  it('takes every dead letter, and is asked for every subject, without an error', patience, async () => {
    const reported: string[] = [];
    const handle = createDeadLetterHandler({
      sweep: () => Promise.reject(new Error('no sweep here')),
      recordDeadLetter: (letter) => insertDeadLetter(pool, letter),
      reportOwnIssue: ({ reason }) => {
        reported.push(reason);
        return Promise.resolve(true);
      },
    });
    let letters = 0;
    await fc.assert(
      fc.asyncProperty(fc.oneof(binary, structured), async (request) => {
        const parsed = read(request);
        if (parsed === null) return;
        letters++;
        await handle(parsed, context);
        expect(await readNotice(pool, parsed.subject ?? '')).toBeUndefined();
      }),
      runs(300),
    );
    const { rows } = await pool.query<{ count: string }>('select count(*) from dead_letters');
    expect(Number(rows[0]?.count)).toBe(letters);
    expect(reported).toHaveLength(letters);
  });
});
