import { describe, expect, it } from 'vitest';
import { groupVersions, openApiDocument } from '../../../shared/api/openapi.ts';
import { RESOURCES } from '../../../shared/api/resources.ts';

interface Operation {
  readonly parameters: readonly { readonly name: string }[];
  readonly 'x-kubernetes-group-version-kind': unknown;
}
interface Definition {
  readonly properties?: { readonly [field: string]: unknown };
  readonly 'x-kubernetes-group-version-kind'?: unknown;
}
interface Document {
  readonly paths: { readonly [path: string]: { readonly [method: string]: Operation } };
  readonly components: { readonly schemas: { readonly [name: string]: Definition } };
}

const documents = groupVersions().map(({ group, version }) => ({
  text: `${group}/${version}`,
  document: openApiDocument(group, version) as unknown as Document,
}));

describe.each(documents)('the OpenAPI document of $text', ({ document }) => {
  const text = JSON.stringify(document);
  const { schemas } = document.components;

  it('refers only to what it defines, and names all it defines', () => {
    for (const [, name = ''] of text.matchAll(/#\/components\/schemas\/([^"]+)/g)) {
      expect(schemas).toHaveProperty([name]);
    }
    expect(Object.keys(schemas)).not.toContain('');
  });

  it('tells kubectl that patches can be validated and tried', () => {
    for (const path of Object.values(document.paths)) {
      for (const [method, operation] of Object.entries(path)) {
        const names = operation.parameters.map((parameter) => parameter.name);
        expect(operation['x-kubernetes-group-version-kind']).toBeDefined();
        if (method === 'patch') {
          expect(names).toEqual(expect.arrayContaining(['fieldValidation', 'dryRun', 'force']));
        }
      }
    }
  });
});

describe('OpenAPI', () => {
  it('marks the kinds', () => {
    for (const { group, version, kind, schema } of RESOURCES) {
      const document = openApiDocument(group, version) as unknown as Document;
      const definition = document.components.schemas[schema.name ?? ''];
      expect(definition?.['x-kubernetes-group-version-kind']).toEqual([{ group, version, kind }]);
    }
  });

  it('says how lists merge', () => {
    const { schemas } = (openApiDocument('', 'v1') as unknown as Document).components;
    expect(schemas['io.k8s.api.core.v1.PodSpec']?.properties?.['volumes']).toMatchObject({
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      'x-kubernetes-patch-merge-key': 'name',
      'x-kubernetes-patch-strategy': 'merge,retainKeys',
    });
    expect(schemas['io.k8s.api.core.v1.Container']?.properties?.['ports']).toMatchObject({
      'x-kubernetes-list-map-keys': ['containerPort', 'protocol'],
      'x-kubernetes-patch-merge-key': 'containerPort',
    });
  });
});
