/**
 * The part of Knative's API that this engine plays, as strict schemas: what the engine would ignore is an error, so a
 * manifest that passes here means the same thing on a cluster. Durations come out in milliseconds.
 */
import { Temporal } from 'temporal-polyfill';
import * as z from 'zod';

import { parseCron } from '../../shared/cron.ts';

/** The fan-out of the in-memory channel stops waiting after 15 minutes when a delivery names no timeout. */
const NO_TIMEOUT_MS = 15 * 60_000;

const attributeName = z.string().regex(/^[a-z][a-z0-9]*$/, 'attribute names match ^[a-z][a-z0-9]*$');

const durationSchema = z.string().transform((text, context) => {
  try {
    return Temporal.Duration.from(text).total('milliseconds');
  } catch {
    context.addIssue({ code: 'custom', message: `not an ISO 8601 duration such as PT1S: ${text}` });
    return z.NEVER;
  }
});

const metadataSchema = z.strictObject({
  name: z.string().min(1),
  namespace: z.string().min(1),
  labels: z.record(z.string(), z.string()).default({}),
  annotations: z.record(z.string(), z.string()).default({}),
});

const destinationSchema = z
  .strictObject({
    ref: z
      .discriminatedUnion('kind', [
        z.strictObject({
          apiVersion: z.literal('serving.knative.dev/v1'),
          kind: z.literal('Service'),
          name: z.string().min(1),
          namespace: z.string().optional(),
        }),
        z.strictObject({
          apiVersion: z.literal('eventing.knative.dev/v1'),
          kind: z.literal('Broker'),
          name: z.string().min(1),
          namespace: z.string().optional(),
        }),
      ])
      .optional(),
    uri: z.string().min(1).optional(),
  })
  .refine(({ ref, uri }) => ref !== undefined || (uri !== undefined && URL.canParse(uri)), {
    message: 'needs a ref, an absolute uri, or a ref with a relative uri',
  });

const deliverySchema = z
  .strictObject({
    retry: z.int().min(0).default(0),
    backoffPolicy: z.enum(['linear', 'exponential']).optional(),
    backoffDelay: durationSchema.optional(),
    timeout: durationSchema.refine((ms) => ms > 0, 'timeout must be longer than nothing').optional(),
    deadLetterSink: destinationSchema.optional(),
  })
  .transform(({ backoffDelay, timeout, ...rest }) => ({
    ...rest,
    backoffDelayMs: backoffDelay ?? 0,
    timeoutMs: timeout ?? NO_TIMEOUT_MS,
  }));

const valuesByAttribute = z
  .record(attributeName, z.string().min(1))
  .refine((map) => Object.keys(map).length > 0, 'names no attribute');

/** One entry of `filters`; exactly one of these is set. */
export interface FilterEntry {
  readonly exact?: Readonly<Record<string, string>> | undefined;
  readonly prefix?: Readonly<Record<string, string>> | undefined;
  readonly suffix?: Readonly<Record<string, string>> | undefined;
  readonly all?: readonly FilterEntry[] | undefined;
  readonly any?: readonly FilterEntry[] | undefined;
  readonly not?: FilterEntry | undefined;
}

const filterEntrySchema: z.ZodType<FilterEntry> = z.lazy(() =>
  z
    .strictObject({
      exact: valuesByAttribute.optional(),
      prefix: valuesByAttribute.optional(),
      suffix: valuesByAttribute.optional(),
      all: z.array(filterEntrySchema).min(1).optional(),
      any: z.array(filterEntrySchema).min(1).optional(),
      not: filterEntrySchema.optional(),
      cesql: z
        .undefined('this engine does not play CESQL: write exact, prefix, suffix, all, any or not')
        .optional(),
    })
    .refine((entry) => Object.keys(entry).length === 1, 'an entry holds exactly one dialect'),
);

const brokerSchema = z.strictObject({
  apiVersion: z.literal('eventing.knative.dev/v1'),
  kind: z.literal('Broker'),
  metadata: metadataSchema,
  spec: z
    .strictObject({
      config: z
        .strictObject({
          apiVersion: z.string(),
          kind: z.string(),
          name: z.string(),
          namespace: z.string().optional(),
        })
        .optional(),
      delivery: deliverySchema.optional(),
    })
    .default({}),
});

const triggerSchema = z.strictObject({
  apiVersion: z.literal('eventing.knative.dev/v1'),
  kind: z.literal('Trigger'),
  metadata: metadataSchema,
  spec: z.strictObject({
    broker: z.string().min(1),
    filter: z.strictObject({ attributes: z.record(attributeName, z.string()) }).optional(),
    filters: z.array(filterEntrySchema).optional(),
    subscriber: destinationSchema,
    delivery: deliverySchema.optional(),
  }),
});

const overridesSchema = z.strictObject({ extensions: z.record(attributeName, z.string()).default({}) });

const pingSourceSchema = z.strictObject({
  apiVersion: z.literal('sources.knative.dev/v1'),
  kind: z.literal('PingSource'),
  metadata: metadataSchema,
  spec: z
    .strictObject({
      schedule: z
        .string()
        .default('* * * * *')
        .refine(isCron, 'not a cron expression of five or six fields, or @hourly and the like'),
      timezone: z.string().default('UTC').refine(isTimeZone, 'not a time zone such as Europe/London'),
      contentType: z.string().optional(),
      data: z.string().optional(),
      ceOverrides: overridesSchema.optional(),
      sink: destinationSchema,
    })
    .refine(
      ({ contentType, data }) =>
        contentType !== 'application/json' || data === undefined || isJsonObject(data),
      { path: ['data'], message: 'is not a JSON object, as contentType says' },
    ),
});

const sinkBindingSchema = z.strictObject({
  apiVersion: z.literal('sources.knative.dev/v1'),
  kind: z.literal('SinkBinding'),
  metadata: metadataSchema,
  spec: z.strictObject({
    subject: z.strictObject({ apiVersion: z.string(), kind: z.string(), name: z.string() }),
    sink: destinationSchema,
    ceOverrides: overridesSchema.optional(),
  }),
});

/** Any one document that may stand in a folder of manifests. */
export const manifestSchema = z.discriminatedUnion('kind', [
  brokerSchema,
  triggerSchema,
  pingSourceSchema,
  sinkBindingSchema,
]);

export type Broker = z.infer<typeof brokerSchema>;
export type Trigger = z.infer<typeof triggerSchema>;
export type PingSource = z.infer<typeof pingSourceSchema>;
export type SinkBinding = z.infer<typeof sinkBindingSchema>;
export type Destination = z.infer<typeof destinationSchema>;
export type Delivery = z.infer<typeof deliverySchema>;

function isCron(expression: string): boolean {
  try {
    parseCron(expression);
    return true;
  } catch {
    return false;
  }
}

function isTimeZone(name: string): boolean {
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name);
    return true;
  } catch {
    return false;
  }
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
