/**
 * A broker for one machine that reads the cluster's own manifests and keeps to the contract of Knative's
 * channel-based Broker over HTTP: at least once, no order, nothing kept on disk. It is a doorbell, as on the cluster:
 * whatever must survive lies in Postgres. README.md lists where it deviates from the real one.
 */
import { setMaxListeners } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { ConfigError } from '../../shared/errors.ts';
import { createActivity } from './activity.ts';
import { createDoor } from './door.ts';
import { createExchange } from './exchange.ts';
import { createLedger, createStderrLog, type Log, type Stats } from './ledger.ts';
import { loadManifests } from './manifests.ts';
import { createPingSources } from './ping-sources.ts';
import { createSender } from './sender.ts';
import { createRandom, createSwitches, type Switches } from './switches.ts';

export interface BrokerOptions {
  /** The folder with the manifests, such as `eventing/base`. */
  readonly manifests: string;
  /** Knative Service name → base URL, for every Service that a manifest points at. */
  readonly services: Readonly<Record<string, string>>;
  /** 0, the default, takes a free one. */
  readonly port?: number;
  readonly host?: string;
  readonly switches?: Partial<Switches>;
  readonly log?: Log;
  /** Seed of all random choices, so that a run can be repeated. */
  readonly seed?: number;
  /** Calls at once per Trigger; the rest waits in memory. */
  readonly maxInFlight?: number;
  /** How many of the newest ledger entries are kept. */
  readonly ledgerLimit?: number;
  /** Makes `idle()` and `close()` throw when a violation was seen. */
  readonly strict?: boolean;
  /** PingSource name → another schedule than the manifest's. */
  readonly schedules?: Readonly<Record<string, { schedule?: string; timezone?: string }>>;
}

export interface Broker {
  /** What a SinkBinding would hand out as K_SINK: the address of the first Broker of the manifests. */
  readonly url: string;
  readonly stats: Stats;
  /** Read at every event: set them while the broker runs. */
  readonly switches: Switches;
  /** Resolves when nothing is under way: no delivery, no retry pending, no tick. */
  idle(): Promise<void>;
  /** Fires a PingSource now; answers the sink's last status, undefined when none came. */
  tick(name: string): Promise<number | undefined>;
  startSchedules(): void;
  /** Stops the timers, lets what is under way finish for at most `withinMs` (10 s), and shuts the door. */
  close(withinMs?: number): Promise<void>;
}

/** Starts a broker; throws a ConfigError that names every fault of the manifests. */
export async function createBroker(options: BrokerOptions): Promise<Broker> {
  const { host = '127.0.0.1', log = createStderrLog(), strict = false } = options;
  const manifests = loadManifests(options.manifests);
  const ledger = createLedger(options.ledgerLimit ?? 10_000, log);
  const sender = createSender();
  const activity = createActivity();
  const random = createRandom(options.seed ?? 1);
  const switches = createSwitches(options.switches);
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);

  const server = createServer({ keepAliveTimeout: 75_000 });
  const port = await listen(server, options.port ?? 0, host);
  const book = {
    services: options.services,
    brokerUrl: (namespace: string, name: string) => `http://${host}:${port}/${namespace}/${name}`,
  };
  const tools = {
    sender,
    ledger,
    activity,
    switches,
    random,
    book,
    log,
    maxInFlight: options.maxInFlight ?? 20,
    stopped: stop.signal,
    schedules: options.schedules ?? {},
  };
  try {
    const exchanges = new Map(
      manifests.brokers.map((broker) => [
        `${broker.metadata.namespace}/${broker.metadata.name}`,
        createExchange(broker, manifests.triggers, tools),
      ]),
    );
    const [first] = exchanges.values();
    if (!first) throw new ConfigError(`there is no Broker in ${options.manifests}`);
    const pingSources = createPingSources(manifests.pingSources, tools);
    const door = createDoor(exchanges, ledger);
    server.on('request', (request, response) => {
      door(request, response).catch((error: unknown) => {
        log.error({ error: String(error) }, 'request failed');
        response.destroy();
      });
    });

    return {
      url: first.url,
      stats: ledger.stats,
      switches,
      async idle() {
        await activity.idle();
        failOnViolations();
      },
      tick: (name) => pingSources.tick(name),
      startSchedules: () => pingSources.start(),
      async close(withinMs = 10_000) {
        pingSources.stop();
        const timer = setTimeout(() => {
          stop.abort();
        }, withinMs);
        await activity.idle();
        clearTimeout(timer);
        await shut(server);
        sender.close();
        failOnViolations();
      },
    };
  } catch (error) {
    await shut(server);
    sender.close();
    throw error;
  }

  function failOnViolations(): void {
    const { violations } = ledger.stats;
    if (strict && violations.length > 0) {
      throw new Error(
        `the broker saw ${violations.length} violations: ${JSON.stringify(violations.slice(0, 5))}`,
      );
    }
  }
}

async function listen(server: Server, port: number, host: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, host, resolve);
  await promise;
  return (server.address() as AddressInfo).port;
}

async function shut(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeAllConnections();
  await promise;
}
