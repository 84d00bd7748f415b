/** What console reads from its environment. */
import { BlockList } from 'node:net';
import * as z from 'zod';
import { keyRingVariable } from '../../shared/decision-link.ts';
import { digestSchedule } from '../../shared/digest-schedule.ts';
import { baseConfig, databaseConfig, flag } from '../../shared/env.ts';
import { parseNetworks } from './network.ts';
import { TERMS } from './terms.ts';

const networks = z
  .string()
  .optional()
  .transform((text, context) => {
    if (text === undefined) return new BlockList();
    const list = parseNetworks(text);
    if (list !== null) return list;
    context.addIssue('must be addresses or networks with commas between, e.g. 10.42.0.7,10.43.0.0/24');
    return z.NEVER;
  });

export const configSchema = z
  .object({
    ...baseConfig.shape,
    ...databaseConfig.shape,
    /** The bearer token of the API, and what people sign in with. */
    CONSOLE_TOKEN: z
      .string()
      .min(16, 'must be at least 16 characters, e.g. from `openssl rand -hex 24`')
      .optional(),
    /** Only for a console that nobody else can reach, such as the one-machine mode on loopback. */
    CONSOLE_ALLOW_UNAUTHENTICATED: flag(false),
    /** The console's address as people reach it; says whether cookies can be secure. */
    CONSOLE_URL: z
      .url({ protocol: /^https?$/, error: 'must be a URL, e.g. https://alertgest.example.com' })
      .optional(),
    /** The header in which an authenticating proxy names the user. */
    TRUSTED_USER_HEADER: z
      .string()
      .regex(/^[A-Za-z][\w-]{0,63}$/, 'must be the name of a header, e.g. X-Forwarded-User')
      .optional(),
    /** Proxies on the way here; each must overwrite TRUSTED_USER_HEADER on every request. */
    TRUSTED_PROXIES: networks,
    /** Verify the "Not concerning" links in messages; the same value goes to notify. */
    DECISION_KEYS: keyRingVariable,
    /** What one tap on "Not concerning" means. */
    IGNORE_DEFAULT: z
      .enum(TERMS, { error: `must be one of ${TERMS.join(', ')}` })
      .default('until-it-changes'),
    /** The longest that a link may decide without a sign-in. */
    ANONYMOUS_IGNORE_MAX: z
      .enum(['1h', '1d', '7d', '30d'], { error: 'must be one of 1h, 1d, 7d, 30d' })
      .optional(),
    /** A token that opens /metrics and nothing else. */
    METRICS_TOKEN: z
      .string()
      .min(16, 'must be at least 16 characters, e.g. from `openssl rand -hex 24`')
      .optional(),
    /** A window without a digest counts as missing this long after its end. */
    DIGEST_GRACE: digestSchedule.shape.DIGEST_GRACE,
    /** Time zone of the times on pages, until a reader chooses another. */
    NOTIFY_TIMEZONE: z.string().default('UTC'),
  })
  .refine(
    (config) =>
      config.CONSOLE_TOKEN !== undefined ||
      config.TRUSTED_USER_HEADER !== undefined ||
      config.CONSOLE_ALLOW_UNAUTHENTICATED,
    {
      path: ['CONSOLE_TOKEN'],
      message:
        'must be set, or TRUSTED_USER_HEADER behind an authenticating proxy (or, where only you can reach the console, CONSOLE_ALLOW_UNAUTHENTICATED=true)',
    },
  )
  .refine((config) => config.TRUSTED_USER_HEADER === undefined || config.TRUSTED_PROXIES.rules.length > 0, {
    path: ['TRUSTED_PROXIES'],
    message: 'must name the proxies that set TRUSTED_USER_HEADER, e.g. 10.42.0.7/32',
  });

export type Config = z.infer<typeof configSchema>;
