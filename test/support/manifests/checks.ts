/** Every check of manifests, by what it promises. */
import {
  checkExposure,
  checkImages,
  checkLiterals,
  checkNetwork,
  checkPodSecurity,
  checkRights,
} from './access-checks.ts';
import { checkBroker, checkDeliveries, checkEvents, checkSinks, checkTicks } from './event-checks.ts';
import { checkSchemas } from './kind-schemas.ts';
import { checkPaths } from './network-paths.ts';
import { checkOfficialFields } from './official-fields.ts';
import { checkHashes, checkNames, checkSecretNames, checkSelectors } from './reference-checks.ts';
import type { Resource } from './render.ts';
import {
  checkConnections,
  checkDigestSchedule,
  checkRoutes,
  checkScale,
  checkVariables,
} from './service-checks.ts';

/** Answers what is wrong, one sentence each. */
export type Check = (resources: readonly Resource[]) => string[];

/** What holds for events alone, with functions or without. */
export const EVENT_CHECKS = {
  'fields and kinds are known': checkSchemas,
  'events reach who wants them': checkEvents,
  'sinks exist': checkSinks,
  'what is tried again ends as a dead letter': checkDeliveries,
  'the Broker fits its class': checkBroker,
  'ticks carry data': checkTicks,
} as const satisfies Record<string, Check>;

/** What holds for everything that is applied to a cluster. */
export const CHECKS = {
  ...EVENT_CHECKS,
  'fields are those of Kubernetes': checkOfficialFields,
  'variables are read, and suffice': checkVariables,
  'connections fit into the database': checkConnections,
  'scale is bounded': checkScale,
  'the digest ticks as settings say': checkDigestSchedule,
  'routes can be read': checkRoutes,
  'secrets are named in the example': checkSecretNames,
  'names exist': checkNames,
  'settings carry a hash': checkHashes,
  'selectors select': checkSelectors,
  'rights equal calls': checkRights,
  'pods are restricted': checkPodSecurity,
  'images are pinned': checkImages,
  'no secret is written out': checkLiterals,
  'only the console is public': checkExposure,
  'the network is closed': checkNetwork,
  'the network is open where it must be': checkPaths,
} as const satisfies Record<string, Check>;
