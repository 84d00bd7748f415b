/**
 * What YAML and code both say, they say alike: Triggers and the catalogue of events, deliveries and timeouts,
 * bindings and emitters.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';
import { isScalar, parseAllDocuments, visit } from 'yaml';
import { z } from 'zod';

import { loadManifests } from '../../eventing/local/manifests.ts';
import { FUNCTION_NAMES } from '../../eventing/local/functions.ts';
import { digestSchedule } from '../../shared/digest-schedule.ts';
import { EVENTS, isEventType } from '../../shared/events.ts';

const ROOT = join(import.meta.dirname, '../..');
const BASE = join(ROOT, 'eventing/base');
const { brokers, triggers, pingSources, sinkBindings } = loadManifests(BASE);

/** A function's own deadline; each step outwards is longer. */
const FUNCTION_DEADLINE_MS = 25_000;
const DIGEST_DEADLINE_MS = 130_000;
const SECRET_NAME = /^(?:password|token|api[_-]?key|secret|bearer_token)$/i;

const serviceSchema = z.object({
  kind: z.literal('Service'),
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    template: z.object({ spec: z.object({ timeoutSeconds: z.number().default(300) }) }),
  }),
});

describe('Triggers', () => {
  it('and the catalogue of events agree on who consumes what', () => {
    const byTrigger = triggers.map(
      ({ spec }) => `${spec.filter?.attributes['type']} → ${spec.subscriber.ref?.name}`,
    );
    const direct = pingSources
      .filter(({ spec }) => spec.sink.ref?.kind === 'Service')
      .map(({ spec }) => `dev.knative.sources.ping → ${spec.sink.ref?.name}`);
    const wanted = Object.entries(EVENTS).flatMap(([type, { consumedBy }]) =>
      consumedBy.map((name) => `${type} → ${name}`),
    );

    // A function may hear one event at two of its paths.
    expect([...new Set([...byTrigger, ...direct])].sort()).toEqual(wanted.sort());
  });

  it('deliver nothing twice to the same path', () => {
    const doors = triggers.map(({ spec: { filter, subscriber } }) =>
      [
        filter?.attributes['type'],
        filter?.attributes['tick'],
        subscriber.ref?.name,
        subscriber.uri ?? '/',
      ].join(' '),
    );

    expect(new Set(doors).size).toBe(doors.length);
  });

  it.each(triggers.map((trigger) => [trigger.metadata.name, trigger] as const))(
    '%s filters by a type of the catalogue and calls a function',
    (_, { spec }) => {
      expect(spec.filters).toBeUndefined();
      expect(isEventType(spec.filter?.attributes['type'] ?? '')).toBe(true);
      expect(spec.subscriber).toMatchObject({ ref: { kind: 'Service' } });
      expect(FUNCTION_NAMES).toContain(spec.subscriber.ref?.name);
    },
  );

  it('never deliver to a function what it emits itself', () => {
    for (const { spec } of triggers) {
      const type = spec.filter?.attributes['type'] ?? '';
      const emitters: readonly string[] = isEventType(type) ? EVENTS[type].emittedBy : [];

      expect(emitters).not.toContain(spec.subscriber.ref?.name);
    }
  });
});

describe('deliveries', () => {
  const deliveries = [...brokers, ...triggers].map(({ kind, metadata, spec }) => ({
    name: `${kind} ${metadata.name}`,
    delivery: spec.delivery,
    isDigest: 'subscriber' in spec && spec.subscriber.ref?.name === 'build-digest',
  }));

  it.each(deliveries)('of $name are complete and end in the dead-letter sink', ({ delivery, isDigest }) => {
    expect(delivery).toEqual({
      retry: 3,
      backoffPolicy: 'exponential',
      backoffDelayMs: 1_000,
      timeoutMs: isDigest ? 150_000 : 30_000,
      deadLetterSink: {
        ref: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'receive' },
        uri: '/dead-letters',
      },
    });
  });

  it.each(deliveries)("of $name outlast the function's deadline", ({ delivery, isDigest }) => {
    expect(delivery?.timeoutMs).toBeGreaterThan(isDigest ? DIGEST_DEADLINE_MS : FUNCTION_DEADLINE_MS);
  });

  const services = readServices();
  it.skipIf(services.size === 0)('give up before the function’s Service does', () => {
    for (const { spec } of triggers) {
      const name = spec.subscriber.ref?.name ?? '';

      expect(services.get(name), `Service ${name}`).toBeGreaterThan((spec.delivery?.timeoutMs ?? 0) / 1_000);
    }
  });
});

describe('the Broker', () => {
  it('names its class and answers senders before it delivers', () => {
    expect(brokers).toHaveLength(1);
    expect(brokers[0]?.metadata.annotations).toEqual({
      'eventing.knative.dev/broker.class': 'MTChannelBasedBroker',
      'messaging.knative.dev/async-handler': 'true',
    });
    expect(brokers[0]?.spec.config).toBeDefined();
  });
});

describe('PingSources', () => {
  it.each(pingSources)('$metadata.name carries data, and its own name as tick', ({ metadata, spec }) => {
    expect(spec).toMatchObject({ contentType: 'application/json', data: '{}' });
    expect(spec.ceOverrides?.extensions).toEqual({ tick: metadata.name });
  });

  it('tick for the digest when the functions expect it to', () => {
    const digest = pingSources.find(({ metadata }) => metadata.name === 'digest');
    const { DIGEST_CRON, DIGEST_TIMEZONE } = digestSchedule.parse({});

    expect(digest?.spec).toMatchObject({ schedule: DIGEST_CRON, timezone: DIGEST_TIMEZONE });
  });

  it('tick the sweep past the broker, and the digest through it', () => {
    const sinks = Object.fromEntries(pingSources.map(({ metadata, spec }) => [metadata.name, spec.sink.ref]));

    expect(sinks).toMatchObject({
      sweep: { kind: 'Service', name: 'receive' },
      digest: { kind: 'Broker', name: 'default' },
    });
    expect(triggers.filter(({ spec }) => spec.filter?.attributes['tick'] === 'digest')).toHaveLength(1);
  });
});

describe('SinkBindings', () => {
  it('cover every function that emits', () => {
    const emitters = new Set<string>(Object.values(EVENTS).flatMap(({ emittedBy }) => [...emittedBy]));

    expect(sinkBindings.map(({ spec }) => spec.subject.name).sort()).toEqual([...emitters].sort());
    for (const { spec } of sinkBindings) {
      expect(spec.subject).toMatchObject({ apiVersion: 'serving.knative.dev/v1', kind: 'Service' });
      expect(spec.sink).toMatchObject({ ref: { kind: 'Broker', name: 'default' } });
    }
  });
});

describe('every resource', () => {
  const all = [...brokers, ...triggers, ...pingSources, ...sinkBindings];

  it.each(all)('$kind $metadata.name stands in the namespace and says what it belongs to', ({ metadata }) => {
    expect(metadata.namespace).toBe('alertgest');
    expect(metadata.labels).toMatchObject({
      'app.kubernetes.io/name': expect.any(String),
      'app.kubernetes.io/component': 'eventing',
      'app.kubernetes.io/part-of': 'alertgest',
    });
  });

  it('stands in a file of the kustomization', () => {
    const [document] = parseAllDocuments(readFileSync(join(BASE, 'kustomization.yaml'), 'utf8'));
    const { resources } = z.object({ resources: z.array(z.string()) }).parse(document?.toJS());
    const files = readdirSync(BASE).filter((name) => name !== 'kustomization.yaml');

    expect(resources.sort()).toEqual(files.sort());
  });
});

describe('manifests', () => {
  const files = ['eventing', 'knative', 'monitoring'].flatMap((folder) => listYaml(join(ROOT, folder)));

  it.each(files)('%s holds no secret', (file) => {
    const found: string[] = [];
    for (const document of parseAllDocuments(readFileSync(join(ROOT, file), 'utf8'))) {
      visit(document, {
        Pair(_, { key, value }) {
          const name = isScalar(key) ? String(key.value) : '';
          const isLiteral = isScalar(value) && typeof value.value === 'string' && value.value !== '';
          if (name === 'stringData' || (SECRET_NAME.test(name) && isLiteral)) found.push(name);
        },
      });
    }

    expect(found).toEqual([]);
  });
});

function listYaml(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.ya?ml$/.test(name))
    .map((name) => join(folder, name).slice(ROOT.length + 1))
    .sort();
}

/** Knative Services of knative/base: name → timeoutSeconds. */
function readServices(): Map<string, number> {
  const timeouts = new Map<string, number>();
  for (const file of listYaml(join(ROOT, 'knative/base'))) {
    for (const document of parseAllDocuments(readFileSync(join(ROOT, file), 'utf8'))) {
      const service = serviceSchema.safeParse(document.toJS());
      if (service.success) {
        timeouts.set(service.data.metadata.name, service.data.spec.template.spec.timeoutSeconds);
      }
    }
  }
  return timeouts;
}
