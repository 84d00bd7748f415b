import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { sendRow, toBody } from '../../../support/bad-bodies.ts';
import type { Answer, BadRow } from '../../../support/bad-bodies.ts';
import { readCorpusLines, whyNoCorpora } from '../../../support/corpora.ts';
import { startReceiver } from '../../../support/receiver.ts';
import type { Receiver } from '../../../support/receiver.ts';
import { entryCount, usableAlerts } from '../../../support/webhook-facts.ts';

const skipped = whyNoCorpora('bad input');
const rows = skipped === null ? readCorpusLines<BadRow>('bad.jsonl') : [];
/** Labels kept on one alert. */
const LABEL_LIMIT = 256;

interface Episode {
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
  readonly severity: string;
  readonly starts_at: Date;
  readonly ended_at: Date | null;
}

describe.skipIf(skipped !== null)('bad input', () => {
  let receiver: Receiver;
  let firstPid: number | undefined;
  let firstRssMb: number;
  beforeAll(async () => {
    receiver = await startReceiver();
    firstPid = receiver.pid();
    firstRssMb = receiver.rssMb();
  });
  afterAll(() => receiver.stop());
  beforeEach(() => receiver.clear());

  test('the corpus is whole', () => {
    expect(rows).toHaveLength(148);
    expect(new Set(rows.flatMap((row) => row.invariants))).toEqual(new Set(Object.keys(INVARIANTS)));
  });

  test.each(rows)('$id $title', { timeout: 60_000 }, async (row) => {
    const answer = await sendRow(receiver.url, receiver.token, row);
    expect(row.expect_status).toContain(answer.status);
    // A broken frame is refused by Node's own parser, which gives no reason.
    const isFramed = row.gen?.kind !== 'short' && row.gen?.kind !== 'bad-chunk';
    if (isFramed && (answer.status ?? 0) >= 400) expectReason(answer);
    for (const name of row.invariants) await INVARIANTS[name]?.(row, answer);
  });

  test('every line of the log is one JSON object', () => {
    expect(receiver.lines.length).toBeGreaterThan(100);
    for (const line of receiver.lines) expect(JSON.parse(line)).toBeTypeOf('object');
  });

  test('the log holds no error of ours', () => {
    expect(receiver.lines.filter((line) => /"level":"(error|fatal)"/.test(line))).toEqual([]);
  });

  test('memory comes back', { timeout: 30_000 }, async () => {
    await expect.poll(() => receiver.rssMb() - firstRssMb, { timeout: 20_000 }).toBeLessThan(300);
  });

  const INVARIANTS: Readonly<Record<string, (row: BadRow, answer: Answer) => Promise<void> | void>> = {
    async up() {
      expect(await receiver.isUp()).toBe(true);
      expect(receiver.pid()).toBe(firstPid);
      expect(receiver.crashes).toEqual([]);
    },
    fast(_row, { tookMs }) {
      expect(tookMs).toBeLessThan(5_000);
      expect(receiver.rssMb() - firstRssMb).toBeLessThan(300);
    },
    async 'nothing-stored'() {
      expect(await storedEpisodes()).toEqual([]);
    },
    'no-silent-drop': expectNothingLost,
    async 'one-row'(row, answer) {
      await sendRow(receiver.url, receiver.token, row);
      await expectNothingLost(row, answer);
    },
    async 'no-pollution'() {
      expect(await receiver.inherited()).toEqual([]);
    },
    async 'time-sane'() {
      for (const { starts_at, ended_at } of await storedEpisodes()) {
        expect(starts_at.getTime()).toBeGreaterThanOrEqual(Date.UTC(2000, 0, 1));
        expect(starts_at.getTime()).toBeLessThan(Date.now() + 86_400_000);
        if (ended_at !== null) expect(ended_at.getTime()).toBeGreaterThanOrEqual(starts_at.getTime());
      }
    },
    'log-safe'() {
      for (const line of receiver.lines) expect(JSON.parse(line)).toBeTypeOf('object');
    },
    // What is stored is what was sent, as text; each renderer escapes it and is tested on its own.
    escaped: expectNothingLost,
    // Severity is that of the label, whatever the texts say.
    async 'no-injection'() {
      for (const { labels, severity } of await storedEpisodes()) {
        const label = labels['severity'] ?? '';
        expect(severity).toBe(['critical', 'warning', 'info'].includes(label) ? label : 'unknown');
      }
    },
    // Counters know severities, states and reasons of ours: whatever comes, there are never more of them.
    async 'bounded-cardinality'() {
      const [counted] = await receiver.query<{ counters: number; series: number }>(
        `select (select count(*) from counters)::int as counters,
           (select count(distinct (name, labels)) from metric_changes)::int as series`,
      );
      expect(counted?.counters).toBeLessThan(10);
      expect(counted?.series).toBeLessThan(30);
    },
  };

  /** Accepted: every usable alert is a row with its labels as sent, all others are counted. Refused: nothing is a row. */
  async function expectNothingLost(row: BadRow, answer: Answer): Promise<void> {
    const stored = await storedEpisodes();
    if (answer.status === null || answer.status >= 400) return expect(stored).toEqual([]);
    const body = readBody(row);
    const usable = usableAlerts(body);
    const said = JSON.parse(answer.body) as { stored: number; rejected: unknown[] };
    expect(said.stored).toBe(usable.length);
    expect(said.stored + said.rejected.length).toBe(entryCount(body));
    const expected = new Map(usable.map((alert) => [alert.identity, alert]));
    expect(stored).toHaveLength(expected.size);
    const labelsStored = new Set(stored.map(({ labels }) => fingerprint(labels)));
    for (const { labels } of expected.values()) {
      if (Object.keys(labels).length <= LABEL_LIMIT) expect(labelsStored).toContain(fingerprint(labels));
    }
    const annotationsStored = new Set(stored.map(({ annotations }) => fingerprint(annotations)));
    for (const { annotations } of expected.values())
      expect(annotationsStored).toContain(fingerprint(annotations));
  }

  function storedEpisodes(): Promise<Episode[]> {
    return receiver.query<Episode & Record<string, unknown>>(
      'select labels, annotations, severity, starts_at, ended_at from episodes where not own',
    );
  }
});

function expectReason(answer: Answer): void {
  const { error, reason } = JSON.parse(answer.body) as { error: unknown; reason: unknown };
  expect(error).toMatch(/\w+ \w+/);
  expect(reason).toMatch(/^[a-z-]+$/);
}

/** The body as any JSON reader of UTF-8 sees it; undefined when it is none. */
function readBody(row: BadRow): unknown {
  const body = toBody(row);
  if (body === null) return undefined;
  const text = body.toString('utf8').replace(/^\uFEFF/, '');
  return JSON.parse(text);
}

function fingerprint(texts: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(texts).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
