/**
 * Fields against the Kubernetes API itself: the official client's models say of each kind which fields it has and of what
 * type. Our own schemas allow less; this finds what they allow and Kubernetes does not have.
 */
import * as kubernetes from '@kubernetes/client-node';

import { isFunction, nameOf } from './render.ts';
import type { Resource } from './render.ts';

interface Attribute {
  readonly baseName: string;
  readonly type: string;
}
interface Model {
  getAttributeTypeMap(): readonly Attribute[];
}

/** Fields that a Revision adds to a pod's. */
const REVISION_FIELDS = ['containerConcurrency', 'timeoutSeconds'];
const models = kubernetes as unknown as Readonly<Record<string, Partial<Model> | undefined>>;

/** Every field of a kind of Kubernetes is one it has, with a value of its type; a function's pod counts as a pod. */
export function checkOfficialFields(resources: readonly Resource[]): string[] {
  return resources.flatMap((resource) => {
    const { apiVersion, kind } = resource;
    if (isFunction(resource)) return checkRevision(resource);
    const isOfKubernetes = !apiVersion.includes('.') || apiVersion.includes('.k8s.io/');
    if (!isOfKubernetes) return [];
    const model = `V1${kind}`;
    return models[model] === undefined
      ? [`${nameOf(resource)}: Kubernetes has no ${apiVersion} ${kind}`]
      : checkObject(resource, model, nameOf(resource));
  });
}

function checkRevision(resource: Resource): string[] {
  const { template } = resource['spec'] as { template: { spec: Record<string, unknown> } };
  const pod = Object.fromEntries(
    Object.entries(template.spec).filter(([name]) => !REVISION_FIELDS.includes(name)),
  );
  return checkObject(pod, 'V1PodSpec', nameOf(resource));
}

function checkObject(value: object, model: string, where: string): string[] {
  const attributes = models[model]?.getAttributeTypeMap?.() ?? [];
  return Object.entries(value).flatMap(([name, field]) => {
    const attribute = attributes.find(({ baseName }) => baseName === name);
    return attribute === undefined
      ? [`${where}: ${model} has no ${name}`]
      : checkValue(field, attribute.type, `${where}.${name}`);
  });
}

function checkValue(value: unknown, type: string, where: string): string[] {
  const list = /^Array<(.+)>$/.exec(type)?.[1];
  if (list !== undefined)
    return Array.isArray(value)
      ? value.flatMap((item: unknown, index) => checkValue(item, list, `${where}.${index}`))
      : [`${where}: is no list`];
  const map = /^\{ \[key: string\]: (.+); \}$/.exec(type)?.[1];
  if (map !== undefined)
    return typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([name, item]) => checkValue(item, map, `${where}.${name}`))
      : [`${where}: is no map`];
  if (type === 'string' || type === 'number' || type === 'boolean')
    return typeof value === type ? [] : [`${where}: is no ${type}`];
  if (type === 'IntOrString')
    return typeof value === 'string' || typeof value === 'number' ? [] : [`${where}: is no number or name`];
  if (models[type]?.getAttributeTypeMap === undefined) return [];
  return typeof value === 'object' && value !== null
    ? checkObject(value, type, where)
    : [`${where}: is no ${type}`];
}
