/** What suppress-check reads from its environment. */
import * as z from 'zod';
import { captureWindowConfig } from '../../shared/capture-window-config.ts';
import { baseConfig, databaseConfig, durationMs, integer } from '../../shared/env.ts';

export const configSchema = z.object({
  ...baseConfig.shape,
  ...databaseConfig.shape,
  ...captureWindowConfig.shape,
  /** In the capture window only this severity and louder ones are pushed, the rest waits for the digest; unset: all are. */
  NIGHT_PUSH_SEVERITY: z
    .enum(['critical', 'warning', 'info'], { error: 'must be one of critical, warning, info' })
    .optional(),
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\//, 'must be a Redis URL, e.g. redis://redis:6379')
    .optional(),
  /** More incidents than this in a minute are a storm; the rest goes into summaries. */
  STORM_INCIDENTS_PER_MINUTE: integer(30, 1, 10_000),
  /** Criticals stay single pushes up to this many in a minute. */
  STORM_CRITICALS_PER_MINUTE: integer(10, 1, 10_000),
  /** One storm summary per alertname and severity in this time. */
  STORM_SUMMARY_INTERVAL: durationMs('5m'),
  /** A pattern that opens this many times within FLAP_WINDOW is told once more; what follows waits until it is calm. */
  FLAP_OPENINGS: integer(3, 2, 1_000),
  FLAP_WINDOW: durationMs('30m'),
  /**
   * A critical incident still open after this time is told again; the wait doubles each time. What is not critical and
   * comes back before it was calm for this long is the same story, told already.
   */
  REMIND_AFTER: durationMs('4h'),
  /** A story that goes on is told again after this time. */
  TELL_AGAIN_AFTER: durationMs('24h'),
  /** One in so many new incidents of ignored issues is told without sound, to keep an eye on them; 0 tells none. */
  IGNORE_CANARY_ONE_IN: integer(0, 0, 1_000_000),
});

export type Config = z.infer<typeof configSchema>;
