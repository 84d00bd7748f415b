/** doctor's look at the cluster's Broker and Triggers: an event that nobody takes must end at receive, not nowhere. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { z } from 'zod';
import type { Environment } from '../shared/env.ts';
import type { Check } from './check.ts';

const TIMEOUT_MS = 3_000;
const GROUP = { group: 'eventing.knative.dev', version: 'v1' };
const DEFAULT_NAMESPACE = 'alertgest';

const delivery = z.looseObject({ deadLetterSink: z.unknown().optional() }).optional();
const listOf = <T>(spec: z.ZodType<T>) =>
  z.object({ items: z.array(z.object({ metadata: z.object({ name: z.string() }), spec })) });
const brokersSchema = listOf(z.looseObject({ delivery }));
const triggersSchema = listOf(z.looseObject({ broker: z.string().optional(), delivery }));

/** Whether every Trigger has a dead-letter sink, its own or its Broker's; nothing without a kubeconfig. */
export async function checkDeadLetters({ KUBECONFIG, HOME = '', NAMESPACE }: Environment): Promise<Check[]> {
  const name = 'Dead letters';
  const namespace = NAMESPACE ?? DEFAULT_NAMESPACE;
  const places = KUBECONFIG?.split(delimiter) ?? [join(HOME, '.kube/config')];
  if (!places.some((place) => existsSync(place))) return [];
  const { CustomObjectsApi, KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  try {
    config.loadFromDefault();
    const api = config.makeApiClient(CustomObjectsApi);
    const read = async <T>(plural: string, schema: z.ZodType<T>): Promise<T> =>
      schema.parse(
        await Promise.race([api.listNamespacedCustomObject({ ...GROUP, namespace, plural }), failAfter()]),
      );
    const brokers = await read('brokers', brokersSchema);
    const triggers = await read('triggers', triggersSchema);
    if (brokers.items.length === 0) {
      const fix = 'kubectl apply -k eventing/base; is the namespace another one? NAMESPACE=…';
      return [{ name, verdict: 'warn', detail: `there is no Broker in the namespace ${namespace}`, fix }];
    }
    const covered = new Set(
      brokers.items.filter(({ spec }) => hasSink(spec)).map(({ metadata }) => metadata.name),
    );
    const open = triggers.items.filter(
      ({ spec }) => !hasSink(spec) && !covered.has(spec.broker ?? 'default'),
    );
    const bare = brokers.items.filter(({ metadata }) => !covered.has(metadata.name));
    if (open.length === 0 && bare.length === 0)
      return [{ name, verdict: 'ok', detail: `${triggers.items.length} Triggers end at a sink` }];
    const names = [...bare, ...open]
      .map(({ metadata }) => metadata.name)
      .slice(0, 3)
      .join(', ');
    const fix =
      'what nobody takes is forgotten until the sweep: set spec.delivery.deadLetterSink to receive, uri /dead-letters (eventing/base/broker.yaml)';
    return [{ name, verdict: 'warn', detail: `there is none for ${names}`, fix }];
  } catch {
    return [
      {
        name,
        verdict: 'warn',
        detail: 'the cluster does not show its Brokers and Triggers',
        fix: 'is Knative Eventing installed, and may you list them? kubectl -n alertgest get brokers,triggers',
      },
    ];
  }
}

function hasSink({
  delivery: policy,
}: {
  readonly delivery?: { readonly deadLetterSink?: unknown } | undefined;
}): boolean {
  return policy?.deadLetterSink !== undefined && policy.deadLetterSink !== null;
}

function failAfter(): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  setTimeout(() => reject(new Error('no answer in time')), TIMEOUT_MS).unref();
  return promise;
}
