import type { ApiModel } from './model/model.ts';
import { apiModel, newestModel } from './model/model.ts';

/** How a pool's hosts get their patches. */
export type Patching = 'pool_patch' | 'pool_update' | 'cdn' | 'updater.py';

/** What POST /jsonrpc answers: nothing but XML-RPC, JSON-RPC 1 whatever the request says, or the request's version. */
export type JsonRpc = 'none' | 'version 1' | 'both versions';

/** What can be seen of a product from outside. */
export interface Product {
  readonly name: string;
  readonly model: ApiModel;
  /** `API_version_major` and `API_version_minor` of its hosts: the data model's release order gives them per release. */
  readonly apiVersion: readonly [number, number];
  readonly softwareVersion: Readonly<Record<string, string>>;
  readonly jsonRpc: JsonRpc;
  readonly patching: Patching;
  readonly edition: string;
}

const common = {
  platform_name: 'XCP',
  hostname: 'localhost',
  network_backend: 'openvswitch',
};

const xapi2533 = {
  product_version: '8.4.0',
  product_version_text: '8',
  product_version_text_short: '8',
  platform_name: 'XCP',
  platform_version: '3.4.0',
  product_brand: 'XenServer',
  xapi: '25.33',
  build_number: 'lab',
  hostname: 'localhost',
  date: '2025-10-20',
  xapi_build: '25.33.1',
  xen: '4.17.5',
  linux: '4.19.0+1',
  network_backend: 'openvswitch',
  db_schema: '5.791',
};

const newest = {
  model: newestModel,
  apiVersion: [2, 21],
  softwareVersion: xapi2533,
  jsonRpc: 'both versions',
} as const;

/**
 * Every product that a pool can be. Its release of the data model decides what the API has; code names and API versions are
 * those of the Xapi project's release order (6.5 creedence, 7.1 ely, 8.2 stockholm). JSON-RPC: version 1 since 7.1 and 2
 * since 7.3, as XenCenter chooses; an older host answers text/xml, by which the npm xen-api tells that it has none.
 */
const products: readonly Product[] = [
  {
    name: 'xenserver-6.5',
    model: apiModel('creedence'),
    apiVersion: [2, 3],
    softwareVersion: {
      ...common,
      product_version: '6.5.0',
      product_version_text: '6.5',
      product_version_text_short: '6.5',
      platform_version: '1.9.0',
      product_brand: 'XenServer',
      xapi: '1.3',
      build_number: '90233c',
      date: '2014-12-17',
      xen: '4.4.1-xs90192',
      linux: '3.10.0+2',
    },
    jsonRpc: 'none',
    patching: 'pool_patch',
    edition: 'free',
  },
  {
    name: 'xenserver-7.1',
    model: apiModel('ely'),
    apiVersion: [2, 6],
    softwareVersion: {
      ...common,
      product_version: '7.1.0',
      product_version_text: '7.1',
      product_version_text_short: '7.1',
      platform_version: '2.2.0',
      product_brand: 'XenServer',
      xapi: '1.9',
      build_number: '137272c',
      date: '2017-02-08',
      xen: '4.7.1-1.9',
      linux: '4.4.0+10',
    },
    jsonRpc: 'version 1',
    patching: 'pool_update',
    edition: 'enterprise-per-socket',
  },
  {
    name: 'xenserver-8.2',
    model: apiModel('stockholm'),
    apiVersion: [2, 15],
    softwareVersion: {
      ...common,
      product_version: '8.2.0',
      product_version_text: '8.2 LTSR',
      product_version_text_short: '8.2 LTSR',
      platform_version: '3.2.0',
      product_brand: 'Citrix Hypervisor',
      xapi: '1.249',
      build_number: 'release/stockholm/master/7',
      date: '2020-06-12',
      xen: '4.13.0-8.4.xs8',
      linux: '4.19.0+1',
    },
    jsonRpc: 'both versions',
    patching: 'pool_update',
    edition: 'enterprise-per-socket',
  },
  { ...newest, name: 'xenserver-8.4', patching: 'cdn', edition: 'trial' },
  {
    name: 'xcp-ng-8.3',
    model: apiModel('24.19.2'),
    apiVersion: [2, 21],
    softwareVersion: {
      ...common,
      product_version: '8.3.0',
      product_version_text: '8.3',
      product_version_text_short: '8.3',
      platform_version: '3.4.0',
      product_brand: 'XCP-ng',
      xapi: '24.19',
      build_number: 'cloud',
      date: '2024-10-03',
      xapi_build: '24.19.2',
      xen: '4.17.5-3',
      linux: '4.19.0+1',
    },
    jsonRpc: 'both versions',
    patching: 'updater.py',
    edition: 'xcp-ng',
  },
  { ...newest, name: 'xapi-25.33.1', patching: 'cdn', edition: 'xcp-ng' },
];

/** The product of a pool that does not say which one it is. */
export const usualProduct = 'xenserver-8.4';

export const productNames = products.map(({ name }) => name);

/** Throws for a name that is none of the products'. */
export function productNamed(name: string): Product {
  const found = products.find((product) => product.name === name);
  if (found !== undefined) return found;
  throw new Error(`no product ${name}; there are ${products.map((product) => product.name).join(', ')}`);
}
