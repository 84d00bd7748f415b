/**
 * Sends events to the broker (K_SINK). Publishing is ringing a doorbell: what failed is counted and logged, never
 * thrown, because the row is already stored and the sweep rings again.
 */
import { readFileSync } from 'node:fs';
import type { CloudEvent } from 'cloudevents';
import * as z from 'zod';
import { toHttpMessage } from './cloud-event.ts';
import { ConfigError } from './errors.ts';
import { request } from './http.ts';
import type { Logger } from './log.ts';
import { describeError } from './log.ts';

/** Events in flight at once; more brings nothing against one broker (about 7 k events/s either way). */
const IN_FLIGHT = 16;
/** Where SinkBinding mounts the token when OIDC is on; rotated, so read per batch. */
const OIDC_TOKEN_FILE = '/oidc/token';

export interface Publisher {
  /** Sends the events within `budgetMs`; answers those that did not get a 2xx. Never throws. */
  publish(
    events: ReadonlyArray<CloudEvent<unknown>>,
    budgetMs?: number,
  ): Promise<ReadonlyArray<CloudEvent<unknown>>>;
}

const overridesSchema = z.object({ extensions: z.record(z.string(), z.string()).optional() });

/** Creates the publisher for a broker URL; `overrides` is SinkBinding's K_CE_OVERRIDES (JSON, may be empty). */
export function createPublisher(options: {
  sink: string | undefined;
  overrides?: string | undefined;
  log: Logger;
}): Publisher {
  const extensions = parseOverrides(options.overrides);
  const { sink, log } = options;
  return {
    async publish(events, budgetMs = 2_000) {
      if (events.length === 0) return [];
      if (sink === undefined) {
        log.warn({ events: events.length }, 'no K_SINK: events not published, the sweep will carry them on');
        return events;
      }
      const deadline = Date.now() + budgetMs;
      const token = readToken();
      const queue = events.values();
      const failed: Array<CloudEvent<unknown>> = [];
      const worker = async (): Promise<void> => {
        for (const event of queue) {
          const timeoutMs = deadline - Date.now();
          if (timeoutMs <= 0 || !(await post(sink, event.cloneWith(extensions), token, timeoutMs, log)))
            failed.push(event);
        }
      };
      await Promise.all(Array.from({ length: Math.min(IN_FLIGHT, events.length) }, worker));
      return failed;
    },
  };
}

async function post(
  sink: string,
  event: CloudEvent<unknown>,
  token: string | null,
  timeoutMs: number,
  log: Logger,
): Promise<boolean> {
  const { headers, body } = toHttpMessage(event);
  if (token !== null) headers['authorization'] = `Bearer ${token}`;
  try {
    const { status } = await request({
      method: 'POST',
      url: sink,
      headers,
      body,
      timeoutMs,
    });
    if (status >= 200 && status < 300) return true;
    log.warn({ status, type: event.type }, 'the broker refused an event');
  } catch (error) {
    log.warn({ type: event.type, ...describeError(error) }, 'the broker did not take an event');
  }
  return false;
}

function parseOverrides(text: string | undefined): Record<string, string> {
  if (text === undefined || text.trim() === '') return {};
  try {
    return overridesSchema.parse(JSON.parse(text)).extensions ?? {};
  } catch {
    throw new ConfigError(
      'K_CE_OVERRIDES: must be JSON as SinkBinding sets it, e.g. {"extensions":{"team":"ops"}}',
    );
  }
}

function readToken(): string | null {
  try {
    return readFileSync(OIDC_TOKEN_FILE, 'utf8').trim();
  } catch {
    return null;
  }
}
