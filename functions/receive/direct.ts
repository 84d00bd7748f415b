/** Calls functions without the broker, following their replies: how the sweep carries notices on when the broker is down. */
import type { CloudEvent } from 'cloudevents';
import { parseEvent, toHttpMessage } from '../../shared/cloud-event.ts';
import { DependencyError } from '../../shared/errors.ts';
import { EVENTS, isEventType } from '../../shared/events.ts';
import { request } from '../../shared/http.ts';

/** received → classified → admitted → notified: no chain is longer. */
const LONGEST_CHAIN = 4;

/** `template` holds `{function}`, e.g. `http://{function}.alertgest.svc.cluster.local`. */
export function createDirectCall(template: string): (event: CloudEvent<unknown>) => Promise<void> {
  return async (first) => {
    let event: CloudEvent<unknown> | undefined = first;
    for (let hop = 0; hop < LONGEST_CHAIN && event !== undefined; hop++) {
      const consumer: string | undefined = isEventType(event.type)
        ? EVENTS[event.type].consumedBy[0]
        : undefined;
      if (consumer === undefined) return;
      event = await post(template.replace('{function}', consumer), event);
    }
  };
}

async function post(url: string, event: CloudEvent<unknown>): Promise<CloudEvent<unknown> | undefined> {
  const { headers, body } = toHttpMessage(event);
  const reply = await request({
    method: 'POST',
    url,
    headers,
    body,
    timeoutMs: 30_000,
  });
  if (reply.status < 200 || reply.status >= 300)
    throw new DependencyError(`the function answered ${reply.status}`);
  return reply.status === 200 && reply.headers['ce-id'] !== undefined
    ? parseEvent(reply.headers, Buffer.from(reply.body))
    : undefined;
}
