// The box's own description of its calls, api/v1/openapi.json, as the page shows it.

/** As much of OpenAPI 3.1 as the daemon writes. */
export interface Document {
  info: { title: string; version: string; description: string };
  tags: { name: string }[];
  paths: Record<string, { get?: Operation; post?: Operation }>;
}

interface Schema {
  type?: string;
  format?: string;
  enum?: string[];
  pattern?: string;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
}

interface Operation {
  summary: string;
  description: string;
  tags: string[];
  deprecated?: boolean;
  parameters?: { name: string; required: boolean; description: string; schema: Schema }[];
  requestBody?: { content: Record<string, { schema?: Schema }> };
  responses: Record<string, unknown>;
}

export interface Parameter {
  name: string;
  needed: boolean;
  about: string;
  schema: Schema;
}

export interface Call {
  name: string;
  group: string;
  /** What it does. */
  about: string;
  /** `Role: Viewer. From: manual 5.2.` */
  standing: string;
  old: boolean;
  way: 'get' | 'post' | 'upload' | 'socket';
  parameters: Parameter[];
}

const BASE = '/api/v1/';
const FORM = 'application/x-www-form-urlencoded';

export function callsOf({ paths }: Document): Call[] {
  return Object.entries(paths).flatMap(([path, { get, post }]) => {
    const operation = get ?? post;
    if (!operation) return [];
    const parts = operation.description.split('\n\n');
    return [
      {
        name: path.startsWith(BASE) ? path.slice(BASE.length) : path,
        group: operation.tags[0] ?? '',
        about: parts.slice(0, -1).join('\n\n') || operation.description,
        standing: parts.length > 1 ? (parts.at(-1) ?? '') : '',
        old: operation.deprecated === true,
        way: wayOf(get, operation),
        parameters: parametersOf(operation),
      },
    ];
  });
}

function wayOf(get: Operation | undefined, operation: Operation): Call['way'] {
  if ('101' in operation.responses) return 'socket';
  if (get) return 'get';
  return operation.requestBody && 'application/octet-stream' in operation.requestBody.content ? 'upload' : 'post';
}

function parametersOf({ parameters, requestBody }: Operation): Parameter[] {
  if (parameters) return parameters.map(({ name, required, description, schema }) => ({ name, needed: required, about: description, schema }));
  const form = requestBody?.content[FORM]?.schema;
  return Object.entries(form?.properties ?? {}).map(([name, schema]) => ({ name, needed: form?.required?.includes(name) === true, about: schema.description ?? '', schema }));
}

/** What a value must be, in a few words of the document: `integer, 1 to 1000`. */
export function valueOf({ type = '', format, enum: words, pattern, maxLength, minimum, maximum }: Schema): string {
  if (words) return words.join(', ');
  const parts = [format ?? (pattern ? 'token' : type)];
  if (minimum !== undefined && maximum !== undefined) parts.push(`${minimum} – ${maximum}`);
  if (maxLength !== undefined) parts.push(`≤ ${maxLength}`);
  return parts.join(', ');
}

/** Whether it changes nothing: those that are tried from the page. */
export function isTried({ name, way }: Call): boolean {
  return way === 'get' && /^(Get|Search)/.test(name);
}

/** A line for a shell. The session stays out of it: lines like this are sent around. */
export function curl(root: string, { name, way }: Call, values: Record<string, string>): string {
  // A `+` in a query is a plus sign to the daemon, and a quote would end the shell's.
  const pairs = Object.entries(values).filter(([, value]) => value !== '').map(([key, value]) => `${key}=${encodeURIComponent(value).replaceAll("'", '%27')}`);
  const address = `${root}${BASE.slice(1)}${name}`;
  const session = '-H "Authorization: token $SESSION"';
  if (way === 'post') return `curl ${session} ${pairs.map((pair) => `-d '${pair}' `).join('') || "-d '' "}'${address}'`;
  const body = way === 'upload' ? '--data-binary @FILE ' : '';
  return `curl ${session} ${body}'${address}${pairs.length > 0 ? `?${pairs.join('&')}` : ''}'`;
}
