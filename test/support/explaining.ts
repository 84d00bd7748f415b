/** The handlers of classify with a model stub, on a real Postgres: a notice goes in, events and rows come out. */
import type { CloudEvent } from 'cloudevents';
import { pino } from 'pino';
import { createExplainHandler } from '../../functions/classify/explain.ts';
import type { ExplainDeps } from '../../functions/classify/explain.ts';
import { createHandler } from '../../functions/classify/handler.ts';
import { createIngest } from '../../functions/receive/ingest.ts';
import type { Arrival } from '../../functions/receive/episodes.ts';
import { createEvent } from '../../shared/events.ts';
import type { EventType, Explained } from '../../shared/events.ts';
import { createModel } from '../../shared/model.ts';
import type { ModelSettings } from '../../shared/model-config.ts';
import type { Pool } from '../../shared/postgres/pool.ts';
import type { Context, EventHandler } from '../../shared/serve.ts';
import { at } from './alerts.ts';

export const SETTINGS: ModelSettings = {
  baseUrl: 'http://127.0.0.1:9',
  model: 'llama3.1:8b',
  fallback: 'mistral:7b',
  numCtx: 4_096,
  temperature: 0,
  seed: 42,
  keepAlive: '10m',
  includeText: false,
  maxConcurrency: 1,
};

const log = pino({ level: 'silent' });
const SOURCE = { cluster: 'test', name: 'classify' } as const;

export interface Explaining {
  readonly classify: EventHandler;
  readonly explain: EventHandler;
  /** Events that were published beside the replies, oldest first. */
  readonly published: Array<CloudEvent<unknown>>;
  /** Stores alerts; answers their notices. */
  receive(...arrivals: Arrival[]): Promise<string[]>;
  /** Gives a handler an event about a notice. */
  ring(handler: EventHandler, notice: string, type?: EventType): Promise<ReadonlyArray<CloudEvent<unknown>>>;
}

/** What the tests of explanations share; `overrides` replace parts of the wiring. */
export function createExplaining(
  pool: Pool,
  baseUrl: string,
  overrides: Partial<ExplainDeps> = {},
): Explaining {
  const published: Array<CloudEvent<unknown>> = [];
  const deps: ExplainDeps = {
    pool,
    source: SOURCE,
    publisher: { publish: (events) => (published.push(...events), Promise.resolve([])) },
    settings: { ...SETTINGS, baseUrl },
    model: createModel({ baseUrl }),
    surroundings: { cluster: null, loki: null, timeoutMs: 1_000 },
    timeoutMs: 2_000,
    waitMs: 2_000,
    log,
    ...overrides,
  };
  const explain = createExplainHandler(deps, SOURCE);
  return {
    classify: createHandler({ pool, source: SOURCE, explain, explainWaitMs: deps.waitMs }),
    explain,
    published,
    async receive(...arrivals) {
      const ingest = createIngest(pool, { isHeartbeat: () => false, allowReplay: true });
      const { notices } = await ingest.store(arrivals, arrivals.at(-1)?.receivedAt ?? at(0));
      return notices.map(({ notice }) => notice);
    },
    ring(handler, notice, type = 'dev.alertgest.notice.received') {
      const context: Context = { log, signal: AbortSignal.timeout(25_000), traceparent: '', dryRun: false };
      return handler(createEvent(type, { cluster: 'test', name: 'receive' }, notice, 'test', {}), context);
    },
  };
}

/** What a `pattern.explained` event says. */
export function explainedData(event: CloudEvent<unknown> | undefined): Explained | undefined {
  return event?.data as Explained | undefined;
}
