/** What console reads from its environment. */
import * as z from 'zod';
import { baseConfig, databaseConfig, flag } from '../../shared/env.ts';

export const configSchema = z
  .object({
    ...baseConfig.shape,
    ...databaseConfig.shape,
    CONSOLE_TOKEN: z
      .string()
      .min(16, 'must be at least 16 characters, e.g. from `openssl rand -hex 24`')
      .optional(),
    /** Only for a console that nobody else can reach, such as the one-machine mode on loopback. */
    CONSOLE_ALLOW_UNAUTHENTICATED: flag(false),
  })
  .refine((config) => config.CONSOLE_TOKEN !== undefined || config.CONSOLE_ALLOW_UNAUTHENTICATED, {
    path: ['CONSOLE_TOKEN'],
    message: 'must be set (or, where only you can reach the console, CONSOLE_ALLOW_UNAUTHENTICATED=true)',
  });
