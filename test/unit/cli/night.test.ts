import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { readLines } from '../../../cli/lines.ts';
import { readNight, shiftPost, surveyNight } from '../../../cli/night.ts';
import type { Post } from '../../../cli/night.ts';

const folder = mkdtempSync(join(tmpdir(), 'alertgest-night-'));
afterAll(() => rmSync(folder, { recursive: true }));

const HOUR = 3_600_000;
const post: Post = {
  at: new Date('2026-03-10T18:00:30.500Z'),
  body: {
    receiver: 'x',
    alerts: [
      { labels: {}, startsAt: '2026-03-10T18:00:00.123456789Z', endsAt: '0001-01-01T00:00:00Z' },
      { labels: {}, startsAt: '2026-03-10T19:00:00+01:00', endsAt: '2026-03-10T18:00:20Z' },
      { labels: {}, startsAt: 'yesterday' },
      'no alert',
    ],
  },
};

describe('shiftPost', () => {
  it('moves every time by the same amount and leaves zero times and what is no time', () => {
    expect(shiftPost(post, 2 * HOUR)).toEqual({
      at: new Date('2026-03-10T20:00:30.500Z'),
      body: {
        receiver: 'x',
        alerts: [
          { labels: {}, startsAt: '2026-03-10T20:00:00.123Z', endsAt: '0001-01-01T00:00:00Z' },
          { labels: {}, startsAt: '2026-03-10T20:00:00.000Z', endsAt: '2026-03-10T20:00:20.000Z' },
          { labels: {}, startsAt: 'yesterday' },
          'no alert',
        ],
      },
    });
  });

  it('leaves a post alone when nothing is to be moved', () => {
    expect(shiftPost(post, 0)).toBe(post);
  });
});

describe('readNight', () => {
  const line = (at: string, alerts: number): string =>
    JSON.stringify({
      seq: 0,
      t: 0,
      at,
      dup: null,
      body: { alerts: Array.from({ length: alerts }, () => ({})) },
    });
  const text = `${line('2026-03-10T18:00:00Z', 2)}\n${line('2026-03-10T18:05:00Z', 3)}\n`;

  it.each(['night.jsonl', 'night.jsonl.gz'])('reads %s', async (name) => {
    const file = join(folder, name);
    writeFileSync(file, name.endsWith('.gz') ? gzipSync(text) : text);
    expect(await surveyNight(file)).toEqual({
      posts: 2,
      alerts: 5,
      first: new Date('2026-03-10T18:00:00Z'),
      last: new Date('2026-03-10T18:05:00Z'),
    });
    expect(await collect(readNight(file))).toHaveLength(2);
  });

  it('names the line that is no post', async () => {
    const file = join(folder, 'broken.jsonl');
    writeFileSync(file, `${text}{"at":"soon","body":{"alerts":[]}}\n`);
    await expect(surveyNight(file)).rejects.toThrow(/broken\.jsonl:3 is no post/);
  });

  it.each([
    ['a file that is not there', 'absent.jsonl', null],
    ['a file that is no gzip', 'wrong.jsonl.gz', 'plain text'],
    ['an empty file', 'empty.jsonl', ''],
  ])('says so for %s', async (_what, name, content) => {
    const file = join(folder, name);
    if (content !== null) writeFileSync(file, content);
    await expect(surveyNight(file)).rejects.toThrow(/cannot be read|has no posts/);
  });
});

describe('readLines', () => {
  it('joins what chunks cut, keeps empty lines and takes both line ends', async () => {
    const chunks = (async function* () {
      yield* ['a\nb', 'b', 'b\n\r', '\n\nlast'];
    })();
    expect((await collect(readLines(chunks))).flat()).toEqual(['a', 'bbb', '', '', 'last']);
  });
});

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
