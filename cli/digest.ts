/** digest: what a digest of a span would say, or what of a month nobody needed; straight from the database, nothing is stored or sent. */
import { createBuilder } from '../functions/build-digest/builder.ts';
import { createWriter } from '../functions/build-digest/writer.ts';
import { captureWindowConfig } from '../shared/capture-window-config.ts';
import type { CaptureWindowConfig } from '../shared/capture-window-config.ts';
import { collectFacts } from '../shared/digest/collect.ts';
import type { DigestDocument } from '../shared/digest/document.ts';
import { toMarkdown, toPlainText } from '../shared/digest/markdown.ts';
import { toNoiseReport } from '../shared/digest/noise.ts';
import { parseConfig, resolveEnvironment } from '../shared/env.ts';
import { ConfigError } from '../shared/errors.ts';
import { createLog } from '../shared/log.ts';
import { modelConfig, toModelSettings } from '../shared/model-config.ts';
import { createModel } from '../shared/model.ts';
import { readAlertClock } from '../shared/postgres/clock.ts';
import { createPool } from '../shared/postgres/pool.ts';
import type { Pool } from '../shared/postgres/pool.ts';
import { windowsBetween } from '../shared/postgres/windows.ts';
import type { WindowSpan } from '../shared/postgres/windows.ts';
import { UsageError, defineCommand, readInteger } from './command.ts';

const DAY_MS = 86_400_000;
const STATEMENT_TIMEOUT_MS = 30_000;
const BUILD_TIMEOUT_MS = 130_000;

export const command = defineCommand({
  help: `
digest: what a digest would say, straight from the database. Nothing is stored or sent.

  preview              the digest of the last capture window that is over, or of
  --since TIME         … everything since then: 18:00 (the last one, in the window's zone) or 2026-03-01T18:00Z
  --until TIME         … and before then; now unless given
  --no-llm             by rules alone, also where OLLAMA_BASE_URL is set
  noise                what of the last days nobody needed
  --days N             … of so many days (default 30)
  --markdown           as Markdown
  --json               the document as JSON

Example:
  DATABASE_URL=postgresql://alertgest@127.0.0.1:5432/alertgest npm run --silent alertgest -- digest preview --since 18:00 --no-llm`,
  flags: {
    since: { type: 'string' },
    until: { type: 'string' },
    'no-llm': { type: 'boolean', default: false },
    days: { type: 'string', default: '30' },
    markdown: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
  words: ['preview|noise'],
  async run({ since, until, 'no-llm': noModel, days, markdown, json }, [what]) {
    if (what !== 'preview' && what !== 'noise')
      throw new UsageError(`digest knows preview and noise, not "${what}"`);
    const env = resolveEnvironment(process.env);
    const url = env['DATABASE_URL'];
    if (url === undefined)
      throw new ConfigError(
        'DATABASE_URL: must be set, e.g. postgresql://alertgest@127.0.0.1:5432/alertgest',
      );
    const calendar = parseConfig(captureWindowConfig, env);
    const pool = createPool({ url, name: 'digest', size: 2, statementTimeoutMs: STATEMENT_TIMEOUT_MS });
    try {
      const now = await readAlertClock(pool);
      const document =
        what === 'noise'
          ? await noise(pool, calendar, {
              start: new Date(now.getTime() - readInteger('--days', days, 1, 366) * DAY_MS),
              end: now,
            })
          : await preview(pool, calendar, await readSpan(pool, calendar, { since, until, now }), !noModel);
      process.stdout.write(
        `${json ? JSON.stringify(document, null, 2) : markdown ? toMarkdown(document) : toPlainText(document)}\n`,
      );
      return 0;
    } finally {
      await pool.end();
    }
  },
});

async function preview(
  pool: Pool,
  calendar: CaptureWindowConfig,
  window: WindowSpan,
  useModel: boolean,
): Promise<DigestDocument> {
  const env = resolveEnvironment(process.env);
  const log = createLog('digest', 'warn');
  const settings = toModelSettings(parseConfig(modelConfig, env));
  const build = createBuilder({
    pool,
    calendar,
    readCluster: null,
    readMissed: () => Promise.resolve({ missed: null, missedWhy: null }),
    write: settings === null ? null : createWriter({ model: createModel(settings), settings, log }),
  });
  const built = await build(
    { name: 'all', zone: calendar.CAPTURE_WINDOW_TIMEZONE, windows: [window], matches: null, attempts: 1 },
    { log, signal: AbortSignal.timeout(BUILD_TIMEOUT_MS), useModel },
  );
  return built.document;
}

async function noise(pool: Pool, calendar: CaptureWindowConfig, window: WindowSpan): Promise<DigestDocument> {
  const zone = calendar.CAPTURE_WINDOW_TIMEZONE;
  const facts = await collectFacts(pool, { name: 'all', zone, windows: [window], matches: null }, calendar, {
    cluster: null,
    missed: { missed: null, missedWhy: null },
  });
  return toNoiseReport(facts);
}

async function readSpan(
  pool: Pool,
  calendar: CaptureWindowConfig,
  { since, until, now }: { since: string | undefined; until: string | undefined; now: Date },
): Promise<WindowSpan> {
  const end = until === undefined ? now : readTime('--until', until, calendar, now);
  if (since !== undefined) {
    const start = readTime('--since', since, calendar, end);
    if (start >= end) throw new UsageError('--since is not before --until');
    return { start, end };
  }
  const windows = await windowsBetween(pool, calendar, new Date(end.getTime() - 3 * DAY_MS), end);
  const closed = windows.filter((window) => window.end <= end).at(-1);
  if (closed === undefined) throw new Error('no capture window ended in three days');
  return closed;
}

/** A time, or a time of day: the last one before `before` in the window's zone. */
function readTime(flag: string, text: string, calendar: CaptureWindowConfig, before: Date): Date {
  const [, hour, minute] = /^(\d{1,2}):(\d{2})$/.exec(text) ?? [];
  if (hour === undefined || minute === undefined) {
    const time = new Date(text);
    if (Number.isNaN(time.getTime()))
      throw new UsageError(`${flag} takes 18:00 or a time such as 2026-03-01T18:00Z, not "${text}"`);
    return time;
  }
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: calendar.CAPTURE_WINDOW_TIMEZONE,
    hour: '2-digit',
    minute: '2-digit',
  });
  const wanted = `${hour.padStart(2, '0')}:${minute}`;
  // Minute by minute backwards: a day has 1,440 of them, and clock changes need no arithmetic.
  const last = Math.floor((before.getTime() - 1) / 60_000) * 60_000;
  for (let back = 0; back < 1_600; back++) {
    const time = new Date(last - back * 60_000);
    if (format.format(time) === wanted) return time;
  }
  throw new UsageError(`${flag}: the clock never shows ${text}`);
}
