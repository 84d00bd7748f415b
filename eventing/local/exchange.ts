/** One Broker of the manifests: takes an event in, counts its hops, and fans it out to the Triggers that want it. */
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Activity } from './activity.ts';
import { deliver, type Route } from './delivery.ts';
import { resolveDestination, type AddressBook } from './destinations.ts';
import { withAttributes, type Envelope } from './envelope.ts';
import { createFilter } from './filters.ts';
import type { Ledger } from './ledger.ts';
import type { Broker, Trigger } from './manifest-schemas.ts';
import type { Sender } from './sender.ts';
import { createSlots } from './slots.ts';
import { happens, type Switches } from './switches.ts';

export interface Exchange {
  readonly url: string;
  /**
   * Takes an event in and answers the status a sender gets: 202, 400 when its hops are used up, 500 when it could not
   * be taken or, waiting for the deliveries, when one of them is lost. `signal` tells that the sender has left.
   */
  publish(event: Envelope, signal?: AbortSignal): Promise<number>;
}

export interface ExchangeTools {
  readonly sender: Sender;
  readonly ledger: Ledger;
  readonly activity: Activity;
  readonly switches: Switches;
  readonly random: () => number;
  /** Calls at once per Trigger. */
  readonly maxInFlight: number;
  readonly book: AddressBook;
  /** Ends retries that nobody will wait for any more. */
  readonly stopped: AbortSignal;
}

interface FilteredRoute extends Route {
  matches(attributes: Envelope['attributes']): boolean;
}

/** Knative's MAX_TTL: an event passes a broker this often, replies to replies included. */
const MAX_HOPS = 255;
/** What every intermediary must carry; larger events depend on the broker (CloudEvents 1.0, "Size Limits"). */
const EVENT_SIZE_MAX = 64 * 1024;
const ASYNC_ANNOTATION = 'messaging.knative.dev/async-handler';
const NO_DELIVERY = { retry: 0, backoffDelayMs: 0, timeoutMs: 15 * 60_000, deadLetterSink: undefined };

/** Creates a Broker with the Triggers that name it; throws a ConfigError for a Service without an address. */
export function createExchange(broker: Broker, triggers: readonly Trigger[], tools: ExchangeTools): Exchange {
  const { namespace, name, annotations } = broker.metadata;
  const { sender, ledger, activity, switches, random, stopped } = tools;
  const url = tools.book.brokerUrl(namespace, name);
  const isAsync = annotations[ASYNC_ANNOTATION] === 'true';
  const routes = triggers
    .filter(({ metadata, spec }) => metadata.namespace === namespace && spec.broker === name)
    .map((trigger) => createRoute(trigger, broker, tools));

  return { url, publish };

  async function publish(event: Envelope, signal?: AbortSignal): Promise<number> {
    const hops = countHops(event);
    if (hops <= 0) {
      ledger.record('rejected', event, { status: 400, detail: 'knativebrokerttl is used up' });
      return 400;
    }
    if (activity.count >= switches.queueMax) {
      ledger.record('rejected', event, { status: 500, detail: 'queueMax' });
      return 500;
    }
    ledger.record('accepted', event, { status: 202 });
    if (event.body.length > EVENT_SIZE_MAX) {
      const type = event.attributes['type'] ?? '';
      ledger.violate({ rule: 'event-size', trigger: undefined, type, bytes: event.body.length });
    }
    if (happens(switches.dropAfterAccept, random, event)) {
      ledger.record('dropped', event);
      return 202;
    }
    const isSync = switches.sync ?? !isAsync;
    const waiting = isSync ? signal : undefined;
    const deliveries = activity.track(
      fanOut(
        withAttributes(event, {
          knativebrokerttl: String(hops),
          knativearrivaltime: new Date().toISOString(),
        }),
        waiting ? anyOf(waiting, stopped) : stopped,
      ),
    );
    if (!isSync) return 202;
    return (await deliveries) ? 202 : 500;
  }

  async function fanOut(event: Envelope, signal: AbortSignal): Promise<boolean> {
    const copies = routes
      .filter((route) => route.matches(event.attributes))
      .flatMap((route) =>
        happens(switches.duplicate, random, event, route.trigger) ? [route, route] : [route],
      );
    const results = await Promise.all(copies.map((route) => deliverLater(event, route, signal)));
    return results.every(Boolean);
  }

  async function deliverLater(event: Envelope, route: Route, signal: AbortSignal): Promise<boolean> {
    if (switches.reorderMs > 0) await sleep(random() * switches.reorderMs);
    return deliver(event, route, {
      sender,
      ledger,
      brokerUrl: url,
      signal,
      publish: (reply) => publish(reply, signal),
    });
  }
}

/** Every call under way listens to it, so the usual warning about many listeners means nothing. */
function anyOf(...signals: AbortSignal[]): AbortSignal {
  const signal = AbortSignal.any(signals);
  setMaxListeners(0, signal);
  return signal;
}

/** Hops left: a fresh event starts with all of them, every pass takes one. */
function countHops({ attributes }: Envelope): number {
  const left = Number.parseInt(attributes['knativebrokerttl'] ?? '', 10);
  return Number.isNaN(left) ? MAX_HOPS : left - 1;
}

/** A Trigger's delivery replaces the Broker's as a whole; only the dead-letter sink falls back on its own. */
function createRoute(trigger: Trigger, broker: Broker, { maxInFlight, book }: ExchangeTools): FilteredRoute {
  const { metadata, spec } = trigger;
  const { namespace, name } = metadata;
  const delivery = spec.delivery ?? broker.spec.delivery ?? NO_DELIVERY;
  const deadLetterSink = delivery.deadLetterSink ?? broker.spec.delivery?.deadLetterSink;
  return {
    trigger: name,
    namespace,
    matches: createFilter(spec),
    subscriber: resolveDestination(spec.subscriber, namespace, book, `Trigger ${name}`),
    policy: delivery,
    deadLetterSink:
      deadLetterSink &&
      resolveDestination(deadLetterSink, namespace, book, `deadLetterSink of Trigger ${name}`),
    slots: createSlots(maxInFlight),
  };
}
