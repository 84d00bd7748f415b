/** What classify reads from its environment. */
import * as z from 'zod';
import { baseConfig, databaseConfig } from '../../shared/env.ts';

export const configSchema = z.object({ ...baseConfig.shape, ...databaseConfig.shape });
