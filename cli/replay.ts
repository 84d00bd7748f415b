/** replay: posts a recorded night to a receiver. */
import { defineCommand, readUrl, UsageError } from './command.ts';
import { readNight, shiftPost, surveyNight } from './night.ts';
import type { Post } from './night.ts';
import { replayNight } from './poster.ts';
import type { Summary } from './poster.ts';
import { createProgress } from './progress.ts';
import { readToken } from './token.ts';

export const command = defineCommand({
  help: `
replay FILE: posts the webhooks of a recorded night (.jsonl or .jsonl.gz) in order, one at a time. Each carries the time it
first arrived in the header x-alertgest-received-at, which a receiver hears only with ALLOW_REPLAY=true.

  --url URL          the receiver (default http://127.0.0.1:8080)
  --token TOKEN      its token (default RECEIVE_TOKEN, else that of "run" on this machine)
  --speed N          N times real time (default: as fast as it is answered)
  --shift-to now     moves all times so that the last webhook arrives now

Example:
  npm run --silent alertgest -- run --allow-replay        (in another terminal)
  npm run --silent alertgest -- replay test/fixtures/night.jsonl --shift-to now`,
  flags: {
    url: { type: 'string', default: 'http://127.0.0.1:8080' },
    token: { type: 'string' },
    speed: { type: 'string' },
    'shift-to': { type: 'string' },
  },
  words: ['FILE'],
  async run(values, [file = '']) {
    const url = readUrl('--url', values.url);
    const speed = values.speed === undefined ? null : readSpeed(values.speed);
    const shiftTo = values['shift-to'];
    if (shiftTo !== undefined && shiftTo !== 'now') throw new UsageError('--shift-to takes only "now"');
    const night = await surveyNight(file);
    const byMs = shiftTo === undefined ? 0 : Date.now() - night.last.getTime();
    const progress = createProgress(process.stderr, 'replay', night.posts);
    let done = 0;
    const summary = await replayNight(shiftNight(file, byMs), {
      url,
      token: values.token ?? readToken(process.env['RECEIVE_TOKEN']),
      speed,
      onPosted: ({ at }) => {
        progress.update(++done, `${done} of ${night.posts} posts, ${at.toISOString().slice(0, 16)}Z`);
      },
      onRetry: (problem) => progress.print(problem),
    }).finally(() => progress.end());
    process.stdout.write(`${toText(summary)}\n`);
    return summary.refused.size === 0 ? 0 : 1;
  },
});

/** The posts of a file, moved. */
export async function* shiftNight(file: string, byMs: number): AsyncGenerator<Post> {
  for await (const post of readNight(file)) yield shiftPost(post, byMs);
}

/** The summary in words. Pure. */
export function toText({ posts, alerts, refused, retries, durationMs }: Summary): string {
  const bad = [...refused].map(([status, count]) => `${count} × ${status}`).join(', ') || 'none';
  const seconds = durationMs / 1_000;
  return [
    `posts     ${posts}${retries > 0 ? ` (${retries} sent again after a failure)` : ''}`,
    `alerts    ${alerts} stored, re-sent groups included`,
    `non-2xx   ${bad}`,
    `duration  ${seconds.toFixed(1)} s (${Math.round(alerts / Math.max(seconds, 0.001))} alerts/s)`,
  ].join('\n');
}

function readSpeed(text: string): number {
  const speed = Number(text);
  if (!Number.isFinite(speed) || speed <= 0)
    throw new UsageError(`--speed takes a number above 0, such as 60, not "${text}"`);
  return speed;
}
