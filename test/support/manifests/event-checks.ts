/** Whether events find their way: Triggers and the catalogue, sinks that exist, deliveries that end somewhere. */
import * as z from 'zod';

import { manifestSchema } from '../../../eventing/local/manifest-schemas.ts';
import type {
  Broker,
  Destination,
  PingSource,
  SinkBinding,
  Trigger,
} from '../../../eventing/local/manifest-schemas.ts';
import { EVENTS, isEventType } from '../../../shared/events.ts';
import { isFunction, nameOf } from './render.ts';
import type { Resource } from './render.ts';

const PING = 'dev.knative.sources.ping';

/** What Knative's Broker for Apache Kafka reads; authentication adds the name of a Secret. */
const kafkaConfigSchema = z.looseObject({
  data: z.strictObject({
    'bootstrap.servers': z.string().regex(/^[\w.-]+:\d+(,[\w.-]+:\d+)*$/),
    'default.topic.partitions': z.string().regex(/^[1-9]\d*$/),
    'default.topic.replication.factor': z.string().regex(/^[1-9]\d*$/),
    'auth.secret.ref.name': z.string().optional(),
  }),
});

interface Eventing {
  readonly brokers: readonly Broker[];
  readonly triggers: readonly Trigger[];
  readonly pingSources: readonly PingSource[];
  readonly sinkBindings: readonly SinkBinding[];
}

/** Everybody who wants an event gets it, nobody else does, and every function that emits knows where to. */
export function checkEvents(resources: readonly Resource[]): string[] {
  const { triggers, pingSources, sinkBindings } = readEventing(resources);
  const given = [
    ...triggers.map(
      ({ spec }) => `${spec.filter?.attributes['type'] ?? 'any'} → ${spec.subscriber.ref?.name ?? ''}`,
    ),
    ...pingSources
      .filter(({ spec }) => spec.sink.ref?.kind === 'Service')
      .map(({ spec }) => `${PING} → ${spec.sink.ref?.name ?? ''}`),
  ];
  const wanted = Object.entries(EVENTS).flatMap(([type, { consumedBy }]) =>
    consumedBy.map((name) => `${type} → ${name}`),
  );
  const emitters = new Set<string>(Object.values(EVENTS).flatMap(({ emittedBy }) => [...emittedBy]));
  const bound = new Set(sinkBindings.map(({ spec }) => spec.subject.name));
  return [
    ...wanted.filter((pair) => !given.includes(pair)).map((pair) => `nothing delivers ${pair}`),
    ...given
      .filter((pair) => !wanted.includes(pair))
      .map((pair) => `${pair} is delivered, and the catalogue of events does not know it`),
    ...[...emitters].filter((name) => !bound.has(name)).map((name) => `${name} emits and has no SinkBinding`),
    ...triggers
      .filter((trigger, index) => triggers.findIndex((other) => doorOf(other) === doorOf(trigger)) < index)
      .map(({ metadata }) => `Trigger ${metadata.name}: another Trigger delivers the same to the same path`),
    ...triggers.flatMap(({ metadata, spec }) => {
      const type = spec.filter?.attributes['type'] ?? '';
      const emits: readonly string[] = isEventType(type) ? EVENTS[type].emittedBy : [];
      return emits.includes(spec.subscriber.ref?.name ?? '')
        ? [`Trigger ${metadata.name}: a function hears what it emits itself`]
        : [];
    }),
  ];
}

/** Every Service and Broker that eventing names is there; without functions in sight, Services are taken on trust. */
export function checkSinks(resources: readonly Resource[]): string[] {
  const { brokers, triggers, pingSources, sinkBindings } = readEventing(resources);
  const functions = resources.filter(isFunction).map(({ metadata }) => metadata.name);
  const names = { Service: functions, Broker: brokers.map(({ metadata }) => metadata.name) };
  const missing = (where: string, destination: Destination | undefined): string[] => {
    const ref = destination?.ref;
    if (ref === undefined || (ref.kind === 'Service' && functions.length === 0)) return [];
    return names[ref.kind].includes(ref.name) ? [] : [`${where}: there is no ${ref.kind} ${ref.name}`];
  };
  return [
    ...brokers.flatMap(({ metadata, spec }) =>
      missing(`Broker ${metadata.name}`, spec.delivery?.deadLetterSink),
    ),
    ...triggers.flatMap(({ metadata, spec }) => [
      ...missing(`Trigger ${metadata.name}`, spec.subscriber),
      ...missing(`Trigger ${metadata.name}`, spec.delivery?.deadLetterSink),
      ...(names.Broker.includes(spec.broker)
        ? []
        : [`Trigger ${metadata.name}: there is no Broker ${spec.broker}`]),
    ]),
    ...pingSources.flatMap(({ metadata, spec }) => missing(`PingSource ${metadata.name}`, spec.sink)),
    ...sinkBindings.flatMap(({ metadata, spec }) => [
      ...missing(`SinkBinding ${metadata.name}`, spec.sink),
      ...(functions.length === 0 || functions.includes(spec.subject.name)
        ? []
        : [`SinkBinding ${metadata.name}: there is no Service ${spec.subject.name}`]),
    ]),
  ];
}

/** What is tried again ends as a dead letter, takes its own time, and gives up before its Service does. */
export function checkDeliveries(resources: readonly Resource[]): string[] {
  const { brokers, triggers } = readEventing(resources);
  const timeouts = new Map(
    resources.filter(isFunction).map((resource) => [resource.metadata.name, timeoutOf(resource)]),
  );
  return [...brokers, ...triggers].flatMap(({ kind, metadata, spec }) => {
    const where = `${kind} ${metadata.name}`;
    const { delivery } = spec;
    if (delivery === undefined) return [`${where}: has no delivery of its own`];
    const found: string[] = [];
    if (delivery.retry < 1) found.push(`${where}: never tries again`);
    if (delivery.deadLetterSink === undefined)
      found.push(`${where}: tries again and has no dead-letter sink`);
    if (delivery.backoffDelayMs === 0) found.push(`${where}: tries again without a pause`);
    if (delivery.timeoutMs > 300_000) found.push(`${where}: has no timeout of minutes`);
    const limit = timeouts.get('subscriber' in spec ? (spec.subscriber.ref?.name ?? '') : '');
    if (limit !== undefined && delivery.timeoutMs >= limit * 1_000)
      found.push(`${where}: waits ${delivery.timeoutMs / 1_000} s, its Service ends after ${limit} s`);
    return found;
  });
}

/** The Broker says what it is; in memory it answers before it delivers, in Kafka it keeps the order of an issue. */
export function checkBroker(resources: readonly Resource[]): string[] {
  const { brokers, triggers } = readEventing(resources);
  return brokers.flatMap(({ metadata: { name, annotations }, spec }) => {
    const found: string[] = [];
    const kind = annotations['eventing.knative.dev/broker.class'];
    const async = annotations['messaging.knative.dev/async-handler'];
    if (kind === undefined) found.push(`Broker ${name}: does not name its class`);
    if (spec.config === undefined) found.push(`Broker ${name}: does not name its config`);
    if (kind === 'MTChannelBasedBroker' && async !== 'true')
      found.push(`Broker ${name}: would make senders wait for every delivery`);
    if (kind === 'Kafka' && async !== undefined)
      found.push(`Broker ${name}: carries an annotation of another class`);
    const config = resources.find(
      (resource) => resource.kind === 'ConfigMap' && resource.metadata.name === spec.config?.name,
    );
    if (kind === 'Kafka' && !kafkaConfigSchema.safeParse(config).success)
      found.push(`Broker ${name}: its config is not the config of a Kafka Broker`);
    for (const trigger of triggers) {
      const order = trigger.metadata.annotations['kafka.eventing.knative.dev/delivery.order'];
      const { filter, subscriber } = trigger.spec;
      const isNews =
        /^dev\.alertgest\.(notice|delivery)\./.test(filter?.attributes['type'] ?? '') &&
        subscriber.uri === undefined;
      if (kind === 'Kafka' && isNews && order !== 'ordered')
        found.push(`Trigger ${trigger.metadata.name}: takes news of an issue out of order`);
      if (!isNews && order === 'ordered')
        found.push(`Trigger ${trigger.metadata.name}: makes slow work wait for its turn`);
    }
    return found;
  });
}

/** Ticks carry data and say which tick they are. */
export function checkTicks(resources: readonly Resource[]): string[] {
  return readEventing(resources).pingSources.flatMap(({ metadata: { name }, spec }) => {
    const found: string[] = [];
    if (spec.data === undefined || spec.contentType !== 'application/json')
      found.push(`PingSource ${name}: sends an event without a body`);
    if (spec.ceOverrides?.extensions['tick'] !== name)
      found.push(`PingSource ${name}: does not say which tick it is`);
    return found;
  });
}

/** What a Trigger delivers, and to which path of which function; a function may hear one event at two paths. */
function doorOf({ spec: { filter, filters, subscriber } }: Trigger): string {
  return JSON.stringify([filter, filters, subscriber.ref?.name, subscriber.uri ?? '/']);
}

function readEventing(resources: readonly Resource[]): Eventing {
  const manifests = resources.flatMap((resource) => {
    const result = manifestSchema.safeParse(resource);
    return result.success ? [result.data] : [];
  });
  return {
    brokers: manifests.filter((manifest) => manifest.kind === 'Broker'),
    triggers: manifests.filter((manifest) => manifest.kind === 'Trigger'),
    pingSources: manifests.filter((manifest) => manifest.kind === 'PingSource'),
    sinkBindings: manifests.filter((manifest) => manifest.kind === 'SinkBinding'),
  };
}

function timeoutOf(resource: Resource): number {
  const { spec } = resource as Resource & { spec?: { template?: { spec?: { timeoutSeconds?: number } } } };
  const seconds = spec?.template?.spec?.timeoutSeconds;
  if (seconds === undefined) throw new Error(`${nameOf(resource)} has no timeoutSeconds`);
  return seconds;
}
