/** What build-digest reads from its environment. */
import * as z from 'zod';
import { captureWindowConfig } from '../../shared/capture-window-config.ts';
import { baseConfig, databaseConfig } from '../../shared/env.ts';

export const configSchema = z.object({
  ...baseConfig.shape,
  ...databaseConfig.shape,
  ...captureWindowConfig.shape,
});
