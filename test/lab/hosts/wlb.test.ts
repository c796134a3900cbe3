import { describe, expect, it } from '@jest/globals';
import { freshLab } from '../with-lab.ts';

const { client } = freshLab();

describe('workload balancing', () => {
  it('is a flag and an address; nothing answers there', async () => {
    const [pool] = await client().call<string[]>('pool.get_all');
    expect(await client().refusal('pool.set_wlb_enabled', pool, true)).toEqual(['WLB_NOT_INITIALIZED']);
    expect(await client().refusal('pool.deconfigure_wlb')).toEqual(['WLB_NOT_INITIALIZED']);
    const credentials = ['user', 'password', 'root', 'password'];
    expect(await client().refusal('pool.initialize_wlb', 'nowhere', ...credentials)).toEqual([
      'WLB_URL_INVALID',
      'nowhere',
    ]);
    await client().call('pool.initialize_wlb', 'wlb.example:8012', ...credentials);
    expect(await client().refusal('pool.retrieve_wlb_recommendations')).toEqual(['WLB_DISABLED']);
    await client().call('pool.set_wlb_enabled', pool, true);
    expect(await client().call('pool.get_record', pool)).toMatchObject({
      wlb_enabled: true,
      wlb_url: 'wlb.example:8012',
      wlb_username: 'user',
    });
    expect(await client().refusal('pool.retrieve_wlb_recommendations')).toEqual(['WLB_CONNECTION_REFUSED']);
    await client().call('pool.deconfigure_wlb');
    expect(await client().call('pool.get_record', pool)).toMatchObject({ wlb_enabled: false, wlb_url: '' });
  });
});
