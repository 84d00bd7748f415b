/** What notify reads from its environment; each channel's own variables are read by the channel. */
import * as z from 'zod';
import { keyRingVariable } from '../../shared/decision-link.ts';
import { baseConfig, databaseConfig, durationMs } from '../../shared/env.ts';

export const configSchema = z.object({
  ...baseConfig.shape,
  ...databaseConfig.shape,
  /** Severities below this are stored and counted but not pushed; an unknown severity always is. */
  NOTIFY_MIN_SEVERITY: z
    .enum(['critical', 'warning', 'info', 'none'], { error: 'must be one of critical, warning, info, none' })
    .default('warning'),
  /** The console's address as a phone reaches it; pushes link to the issue there. */
  CONSOLE_URL: z
    .url({ protocol: /^https?$/, error: 'must be a URL, e.g. https://alertgest.example.com' })
    .optional(),
  /** Sign the "Not concerning" links in messages; the same value goes to console. */
  DECISION_KEYS: keyRingVariable,
  /** Time zone of the times in messages. */
  NOTIFY_TIMEZONE: z.string().default('UTC'),
  /** A message that could not be sent for this long is given up, loudly. */
  DELIVERY_GIVE_UP_AFTER: durationMs('6h'),
});

export type Config = z.infer<typeof configSchema>;
