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
  /** Who is told of what, as YAML; usually the file that ROUTES_FILE names. With it NOTIFY_MIN_SEVERITY does not count. */
  ROUTES: z.string().optional(),
  /** The console's address as a phone reaches it; pushes link to the issue there. */
  CONSOLE_URL: z
    .url({ protocol: /^https?$/, error: 'must be a URL, e.g. https://alertgest.example.com' })
    .optional(),
  /** Sign the "Not concerning" links in messages; the same value goes to console. */
  DECISION_KEYS: keyRingVariable,
  /** Hosts that links of alerts (runbooks) may lead to, `*.example.org` for all below one; empty allows every host. */
  LINK_ALLOWED_HOSTS: z
    .string()
    .default('')
    .transform((text) =>
      text
        .toLowerCase()
        .split(',')
        .map((host) => host.trim())
        .filter((host) => host !== ''),
    )
    .refine((hosts) => hosts.every((host) => /^(\*\.)?[a-z0-9.-]+$/.test(host)), {
      error: 'must be host names, comma separated, e.g. runbooks.example.org,*.wiki.example.org',
    }),
  /** Channels that digests go to, comma separated; unset: every one but pagers and SMS. */
  DIGEST_CHANNELS: z
    .string()
    .transform((text) =>
      text
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== ''),
    )
    .optional(),
  /** Time zone of the times in messages. */
  NOTIFY_TIMEZONE: z.string().default('UTC'),
  /** A message that could not be sent for this long is given up, loudly. */
  DELIVERY_GIVE_UP_AFTER: durationMs('6h'),
});

export type Config = z.infer<typeof configSchema>;
