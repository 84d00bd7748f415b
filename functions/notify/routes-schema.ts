/** The shape of a routes file; what needs more than one place to judge is checked in routes-file.ts. */
import * as z from 'zod';
import { parseDurationMs } from '../../shared/env.ts';
import { AppError } from '../../shared/errors.ts';
import { parseMatchers } from '../../shared/matchers.ts';
import type { Matcher } from '../../shared/matchers.ts';
import { timeIntervalSchema } from './time-interval-words.ts';

/** Longest wait before an escalation or length of a pace, in milliseconds. */
const MAX_DURATION_MS = 7 * 86_400_000;

const name = z
  .string({ error: 'must be a name' })
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'must be 1 to 63 letters, digits, dots, - and _, e.g. oncall');

const names = z.array(name, { error: 'must be a list of names, e.g. [oncall, ops]' });

const duration = z
  .string({ error: 'must be a duration, e.g. 15m' })
  .regex(/^(\d+(ms|[smhd]))+$/, 'must be a duration, e.g. 15m')
  .transform((text) => parseDurationMs(text))
  .refine((ms) => ms >= 1_000 && ms <= MAX_DURATION_MS, 'must be from 1s to 7d');

const severity = z.enum(['critical', 'warning', 'info', 'none'], {
  error: 'must be one of critical, warning, info, none',
});

const matcherText = z.string({ error: `must be a matcher such as 'severity="critical"'` });

const matchers = z
  .union([matcherText, z.array(matcherText)], {
    error: `must be a list of matchers such as 'severity="critical"'`,
  })
  .transform((value, context): readonly Matcher[] => {
    const texts = typeof value === 'string' ? [value] : value;
    return texts.flatMap((text, index) => {
      try {
        return parseMatchers(text);
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        const path = typeof value === 'string' ? [] : [index];
        context.addIssue({ code: 'custom', message: error.message, path });
        return [];
      }
    });
  });

const channelSchema = z.strictObject({
  name,
  type: z.string({ error: 'must be a type of channel, e.g. slack' }),
  settings: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]), {
      error: 'must be settings with their values, e.g. { webhook_url: "env:SLACK_OPS_URL" }',
    })
    .optional(),
  rate: z
    .strictObject({
      max: z.int({ error: 'must be a whole number, e.g. 20' }).min(1).max(10_000),
      per: duration,
    })
    .optional(),
  quiet: z.strictObject({ intervals: names.default([]), below: severity }).optional(),
});

const escalateSchema = z.strictObject({ after: duration, channels: names.min(1, 'names no channel') });

/** A route as it is written. */
export interface RouteInput {
  readonly name?: string | undefined;
  readonly matchers: readonly Matcher[];
  readonly channels?: readonly string[] | undefined;
  readonly fallback?: readonly string[] | undefined;
  readonly escalate?: { readonly after: number; readonly channels: readonly string[] } | undefined;
  readonly continue: boolean;
  readonly active_time_intervals: readonly string[];
  readonly mute_time_intervals: readonly string[];
  readonly routes: readonly RouteInput[];
}

const routeSchema = z.strictObject({
  name: name.optional(),
  matchers: matchers.default([]),
  channels: names.optional(),
  fallback: names.optional(),
  escalate: escalateSchema.optional(),
  continue: z.boolean({ error: 'must be true or false' }).default(false),
  active_time_intervals: names.default([]),
  mute_time_intervals: names.default([]),
  get routes(): z.ZodType<readonly RouteInput[]> {
    return z.array(routeSchema, { error: 'must be a list of routes' }).default([]);
  },
});

const namedIntervalsSchema = z
  .strictObject({
    name,
    time_intervals: z.array(timeIntervalSchema, { error: 'must be a list of intervals' }).min(1, 'is empty'),
  })
  .transform((named) => ({ name: named.name, intervals: named.time_intervals }));

const digestSchema = z.strictObject({
  name,
  matchers: matchers.default([]),
  channels: names.min(1, 'names no channel'),
});

/** The whole file. */
export const routesFileSchema = z.strictObject(
  {
    channels: z.array(channelSchema, { error: 'must be a list of channels' }).default([]),
    time_intervals: z.array(namedIntervalsSchema, { error: 'must be a list of named intervals' }).default([]),
    /** Digests of teams, each of what its matchers take; `all` names the channels of everybody's. */
    digests: z.array(digestSchema, { error: 'must be a list of digests' }).default([]),
    routes: z
      .array(routeSchema, { error: 'must be a list of routes; without any nobody would be told' })
      .min(1, 'must name at least one route; without any nobody would be told'),
  },
  { error: 'must have the keys channels, time_intervals and routes' },
);

export type RoutesFile = z.output<typeof routesFileSchema>;
export type ChannelInput = RoutesFile['channels'][number];
