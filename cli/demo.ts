/** demo: one invented night through the real thing, on this machine, with throw-away data. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lastClosedWindow } from '../shared/capture-window.ts';
import { createEvent } from '../shared/events.ts';
import { toCard } from './card.ts';
import { defineCommand } from './command.ts';
import { createConsoleApi } from './console-api.ts';
import { gatherFigures, toFigures } from './figures.ts';
import { surveyNight } from './night.ts';
import { choosePort, LOG_FOLDER, startOneMachine } from './one-machine.ts';
import type { OneMachine } from './one-machine.ts';
import { replayNight } from './poster.ts';
import type { Summary } from './poster.ts';
import { createProgress } from './progress.ts';
import { shiftNight } from './replay.ts';
import { createScratchDatabase } from './scratch-database.ts';
import { paint } from './terminal.ts';
import { createToken } from './token.ts';

const NIGHT = join(import.meta.dirname, '../test/fixtures/night.jsonl');
/** When the recorded night began; it is moved to the last night here. */
const RECORDED_START_MS = Date.parse('2026-03-10T18:00:00Z');
const NIGHT_MS = 14 * 3_600_000;
const ZONE = 'Europe/London';
const WINDOW = {
  CAPTURE_WINDOW_START: '18:00',
  CAPTURE_WINDOW_END: '08:00',
  CAPTURE_WINDOW_TIMEZONE: ZONE,
};
/** How much of the night passes between two sweeps; a live system sweeps every minute. */
const SWEEP_EVERY_MS = 15 * 60_000;
/** The last deliveries are waited for this long. */
const SETTLE_MS = 10_000;

export const command = defineCommand({
  help: `
demo: starts everything on this machine with throw-away data, replays a sample night of a small web shop, prints each push
as a phone would show it, the digest's counts and the night in numbers, and serves until Ctrl-C. It reads no channel from
the environment, so nobody is woken. With CI=true it ends by itself: 0 when all is accounted for.

  --port N   the one address of everything (default ALERTGEST_PORT, else 8080, else any free one)

Example:
  npm run --silent alertgest -- demo`,
  flags: { port: { type: 'string' } },
  words: [],
  async run(values) {
    const port = await choosePort(values.port, true);
    const token = createToken();
    const say = (line: string): void => void process.stdout.write(`${line}\n`);
    const scratch = await createScratchDatabase(process.env['DATABASE_URL']);
    let print = say;
    let clock = '';
    const one = await startOneMachine({
      env: toEnvironment(scratch?.url),
      port,
      dataFolder: null,
      schedules: false,
      token,
      say: (line) => print(line),
      onPush: (push, number) => print(toCard(push, number, clock, paint)),
    });
    try {
      const from = nightStart();
      const to = new Date(from.getTime() + NIGHT_MS);
      const night = await surveyNight(NIGHT);
      say(`Replaying ${night.posts} webhooks of a sample night, moved to ${toDay(from)} …\n`);
      const progress = createProgress(process.stdout, 'night', night.posts);
      print = (line) => progress.print(line);
      const summary = await replay(one, token, from, (at, done) => {
        clock = toClock(at);
        progress.update(done, clock);
      }).finally(() => progress.end());
      print = say;
      const good = await report(one, summary, from, to, say);
      if (process.env['CI'] === 'true') return good ? 0 : 1;
      one.machine.broker.startSchedules();
      say(toGoodbye(one.machine.url, token));
      await one.lifetime.over;
      return 0;
    } catch (error) {
      if (one.lifetime.signal.aborted) return 0;
      throw error;
    } finally {
      await one.stop();
      await scratch?.drop();
    }
  },
});

/** Only what the demo needs: neither channels nor limits of the user. */
function toEnvironment(databaseUrl: string | undefined): Record<string, string | undefined> {
  const { REDIS_URL, APP_LOG_LEVEL } = process.env;
  return {
    ...(databaseUrl !== undefined && { DATABASE_URL: databaseUrl }),
    REDIS_URL: REDIS_URL === '' ? undefined : REDIS_URL,
    APP_LOG_LEVEL,
    ALLOW_REPLAY: 'true',
    CLUSTER_NAME: 'demo',
    NOTIFY_TIMEZONE: ZONE,
    ...WINDOW,
  };
}

/** The night goes by as it did: before time moves on, what was news has been told, and the sweep comes round. */
async function replay(
  { machine, lifetime }: OneMachine,
  token: string,
  from: Date,
  onProgress: (at: Date, done: number) => void,
): Promise<Summary> {
  let done = 0;
  let sweptAt = from.getTime();
  const { broker, url } = machine;
  const summary = await replayNight(shiftNight(NIGHT, from.getTime() - RECORDED_START_MS), {
    url,
    token,
    speed: null,
    signal: lifetime.signal,
    async onPosted({ at }, news) {
      onProgress(at, ++done);
      const sweeps = at.getTime() - sweptAt >= SWEEP_EVERY_MS;
      if (sweeps) {
        sweptAt = at.getTime();
        await broker.tick('sweep');
      }
      if (news > 0 || sweeps) await broker.idle();
    },
  });
  await broker.tick('sweep');
  await broker.idle();
  return summary;
}

async function report(
  { machine, phone }: OneMachine,
  summary: Summary,
  from: Date,
  to: Date,
  say: (line: string) => void,
): Promise<boolean> {
  const api = createConsoleApi(machine.url);
  const due = createEvent(
    'dev.alertgest.digest.due',
    { cluster: 'demo', name: 'console' },
    `window.${from.toISOString()}`,
    'due',
    { from: from.toISOString(), to: to.toISOString() },
  );
  const digest = await api.buildDigest(due);
  say(`\n${paint('bold', 'The digest')} (by rules; the counts of POST /functions/build-digest)\n`);
  say(digest.replaceAll(/^/gm, '  '));
  const deadline = Date.now() + SETTLE_MS;
  while ((await api.countNotices())['admitted'] !== undefined && Date.now() < deadline) await sleep(100);
  const figures = await gatherFigures(api, summary, phone?.pushes ?? 0, from, to);
  say(`\n${paint('bold', 'The night in numbers')}\n`);
  say(toFigures(figures));
  return figures.audit.clean && figures.pushes === figures.notified && summary.refused.size === 0;
}

/** The start of the last night that is over. */
function nightStart(): Date {
  return lastClosedWindow(WINDOW, new Date()).start;
}

function toDay(time: Date): string {
  return time.toLocaleDateString('en-GB', { timeZone: ZONE, weekday: 'long', day: 'numeric', month: 'long' });
}

function toClock(time: Date): string {
  return time.toLocaleTimeString('en-GB', { timeZone: ZONE, hour: '2-digit', minute: '2-digit' });
}

function toGoodbye(url: string, token: string): string {
  return `
${paint('bold', 'Still running')} at ${url} until Ctrl-C; then the data is thrown away.
  ${url}/                  the console: what is open, issues, who was told and why not
  ${url}/api/v1/issues     the same for scripts
  ${url}/api/v1/audit      whether everything came to its end
Post an alert of your own:
  curl ${url}/api/v1/alerts -H 'content-type: application/json' \\
    -H 'authorization: Bearer ${token}' -d @test/fixtures/sample_alerts.json
Logs: ${LOG_FOLDER}`;
}
