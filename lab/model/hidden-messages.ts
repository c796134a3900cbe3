/**
 * Messages that the daemon lists and answers to although its published data model leaves them out (datamodel*.ml,
 * hide_from_docs), by the published message that they follow in system.listMethods; as in data-model.json: name, result,
 * flags (s session, a Async form, p only for the pool's own sessions), life, parameters. Up to VM_appliance their places were
 * seen in an answer of xapi 25.33.1; the length of that answer, 2,170 names in 47,534 characters, is that of all of them.
 */
const following: Readonly<Record<string, readonly string[]>> = {
  'session.change_password': [
    'session.slave_login|session ref||rio|host:host ref;psecret:string',
    'session.slave_local_login|session ref||miami|psecret:string',
  ],
  'pool.eject': [
    'pool.initial_auth|string|sa|rio|',
    'pool.exchange_certificates_on_join|(string -> string) map|sa|1.298.0|uuid:string;certificate:string',
    'pool.exchange_ca_certificates_on_join|(string -> string) map|sa|1.320.0|import:(string -> string) map;export:Certificate ref set',
  ],
  'pool.recover_slaves': [
    'pool.hello|enum hello_return|sa|rio|host_uuid:string;host_address:string',
    'pool.is_slave|bool|s|rio|host:host ref',
  ],
  'pool.create_new_blob': [
    'pool.ha_schedule_plan_recomputation|void|sap|orlando|',
    'pool.enable_binary_storage|void|sa|orlando|',
    'pool.disable_binary_storage|void|sa|orlando|',
  ],
  'pool.disable_redo_log': ['pool.audit_log_append|void|sap|midnight-ride|line:string'],
  'pool_update.destroy': [
    'pool_update.attach|string|sa|ely|self:pool_update ref;use_localhost_proxy?:bool',
    'pool_update.detach|void|sa|ely|self:pool_update ref',
    'pool_update.resync_host|void|sa|ely|host:host ref',
  ],
  'VM.suspend': ['VM.csvm|VM ref|sa|rio|vm:VM ref'],
  'VM.resume': [
    'VM.set_is_default_template|void|sa|falcon|vm:VM ref;value:bool',
    'VM.hard_reboot_internal|void|sap|orlando|vm:VM ref',
  ],
  'VM.pool_migrate': ['VM.pool_migrate_complete|void|sa|tampa|vm:VM ref;host:host ref'],
  'VM.assert_can_migrate': [
    'VM.assert_can_migrate_sender|void|sa|jura|vm:VM ref;dest:(string -> string) map;live:bool;vdi_map:(VDI ref -> SR ref) map;vif_map:(VIF ref -> network ref) map;vgpu_map:(VGPU ref -> GPU_group ref) map;options:(string -> string) map',
  ],
  'VM.assert_can_boot_here': ['VM.atomic_set_resident_on|void|sap|rio|vm:VM ref;host:host ref'],
  'VM.create_new_blob': [
    'VM.s3_suspend|void|sa|midnight-ride|vm:VM ref',
    'VM.s3_resume|void|sa|midnight-ride|vm:VM ref',
  ],
  'VM.assert_agile': [
    'VM.update_snapshot_metadata|void|sa|george|vm:VM ref;snapshot_of:VM ref;snapshot_time:datetime;transportable_snapshot_id:string',
  ],
  'VM.set_HVM_boot_policy': ['VM.set_NVRAM_EFI_variables|void|sa|naples|self:VM ref;value:string'],
  'VMPP.archive_now': [
    'VMPP.create_alert|void|s|cowley>clearwater|vmpp:VMPP ref;name:string;priority:int;body:string;data:string',
  ],
  'VMPP.set_backup_retention_value': [
    'VMPP.set_is_backup_running|void|s|cowley>clearwater|self:VMPP ref;value:bool',
    'VMPP.set_is_archive_running|void|s|cowley>clearwater|self:VMPP ref;value:bool',
  ],
  'host.reboot': ['host.prepare_for_poweroff|void|sa|kolkata|host:host ref'],
  'host.license_remove': [
    'host.create|host ref|sa|rio|uuid:string;name_label:string;name_description:string;hostname:string;address:string;external_auth_type?:string;external_auth_service_name?:string;external_auth_configuration?:(string -> string) map;license_params?:(string -> string) map;edition?:string;license_server?:(string -> string) map;local_cache_sr?:SR ref;chipset_info?:(string -> string) map;ssl_legacy?:bool',
  ],
  'host.power_on': ['host.set_license_params|void|sap|orlando|self:host ref;value:(string -> string) map'],
  'host.emergency_ha_disable': [
    'host.ha_disarm_fencing|void|sap|orlando|host:host ref',
    'host.preconfigure_ha|void|sap|miami|host:host ref;statefiles:VDI ref set;metadata_vdi:VDI ref;generation:string',
    'host.ha_join_liveset|void|sap|orlando|host:host ref',
    'host.ha_disable_failover_decisions|void|sap|orlando|host:host ref',
    'host.ha_wait_for_shutdown_via_statefile|void|sap|orlando|host:host ref',
    'host.ha_stop_daemon|void|sap|orlando|host:host ref',
    'host.ha_release_resources|void|sap|orlando|host:host ref',
    'host.ha_xapi_healthcheck|bool|s|orlando|',
    'host.local_assert_healthy|void|sp|miami|',
    'host.request_backup|void|sp|rio|host:host ref;generation:int;force:bool',
    'host.request_config_file_sync|void|sp|rio|host:host ref;hash:string',
    'host.propose_new_master|void|sp|miami|address:string;manual:bool',
    'host.commit_new_master|void|sp|miami|address:string',
    'host.abort_new_master|void|sp|miami|address:string',
  ],
  'host.get_uncooperative_resident_VMs': ['host.get_uncooperative_domains|string set|sap|midnight-ride|self:host ref'],
  'host.evacuate': [
    'host.signal_networking_change|void|sp|miami|',
    'host.notify|void|sap|miami|ty:string;params:string',
  ],
  'host.get_system_status_capabilities': [
    'host.get_diagnostic_timing_stats|(string -> string) map|s|miami|host:host ref',
  ],
  'host.set_hostname_live': ['host.is_in_emergency_mode|bool|s|miami|'],
  'host.compute_memory_overhead': [
    'host.tickle_heartbeat|(string -> string) map|sp|orlando|host:host ref;stuff:(string -> string) map',
  ],
  'host.get_server_localtime': [
    'host.enable_binary_storage|void|sap|orlando|host:host ref',
    'host.disable_binary_storage|void|sap|orlando|host:host ref',
  ],
  'host.retrieve_wlb_evacuate_recommendations': [
    'host.install_ca_certificate|void|sap|1.290.0|host:host ref;name:string;cert:string',
    'host.uninstall_ca_certificate|void|sap|1.290.0|host:host ref;name:string;force?:bool',
    'host.certificate_list|string set|sap|george|host:host ref',
    'host.crl_install|void|sap|george|host:host ref;name:string;crl:string',
    'host.crl_uninstall|void|sap|george|host:host ref;name:string',
    'host.crl_list|string set|sap|george|host:host ref',
    'host.certificate_sync|void|sap|george|host:host ref',
  ],
  'host.reset_server_certificate': [
    'host.update_pool_secret|void|sap|midnight-ride|host:host ref;pool_secret:string',
    'host.update_master|void|sap|midnight-ride|host:host ref;master_address:string',
    'host.attach_static_vdis|void|sap|midnight-ride|host:host ref;vdi_reason_map:(VDI ref -> string) map',
    'host.detach_static_vdis|void|sap|midnight-ride|host:host ref;vdis:VDI ref set',
    'host.set_localdb_key|void|sap|midnight-ride|host:host ref;key:string;value:string',
  ],
  'host.reset_cpu_features': ['host.reset_networking|void|sa|boston|host:host ref'],
  'host.disable_local_storage_caching': [
    'host.get_sm_diagnostics|string|s|boston|host:host ref',
    'host.get_thread_diagnostics|string|s|boston|host:host ref',
    'host.sm_dp_destroy|void|s|boston|host:host ref;dp:string;allow_leak:bool',
    'host.sync_vlans|void|sp|boston|host:host ref',
    'host.sync_tunnels|void|sp|boston|host:host ref',
    'host.sync_pif_currently_attached|void|sp|boston|host:host ref;bridges:string set',
  ],
  'host.set_ssl_legacy': [
    'host.apply_guest_agent_config|void|sa|dundee|host:host ref',
    'host.mxgpu_vf_setup|void|sap|falcon|host:host ref',
    'host.nvidia_vf_setup|void|sap|quebec|host:host ref;pf:PCI ref;enable:bool',
    'host.allocate_resources_for_vm|void|sa|inverness|self:host ref;vm:VM ref;live:bool',
  ],
  'host.set_multipathing': ['host.write_uefi_certificates_to_disk|void|sap|22.16.0|host:host ref'],
  'host.set_uefi_certificates': [
    'host.notify_accept_new_pool_secret|void|sa|stockholm_psr|host:host ref;old_ps:string;new_ps:string',
    'host.notify_send_new_pool_secret|void|sa|stockholm_psr|host:host ref;old_ps:string;new_ps:string',
    'host.cleanup_pool_secret|void|sa|stockholm_psr|host:host ref;old_ps:string;new_ps:string',
  ],
  'host.emergency_reenable_tls_verification': [
    'host.cert_distrib_atom|string|sap|1.295.0|host:host ref;command:string',
  ],
  'host.apply_updates': ['host.copy_primary_host_certs|void|sap|1.307.0|host:host ref'],
  'network.remove_tags': [
    'network.attach|void|sa|miami|network:network ref;host:host ref',
    'network.pool_introduce|network ref|sa|rio|name_label:string;name_description:string;MTU:int;other_config:(string -> string) map;bridge:string;managed:bool;purpose:enum network_purpose set',
  ],
  'network.set_default_locking_mode': [
    'network.attach_for_vm|void|sa|tampa|host:host ref;vm:VM ref',
    'network.detach_for_vm|void|sa|tampa|host:host ref;vm:VM ref',
  ],
  'PIF.plug': [
    'PIF.pool_introduce|PIF ref|sa|rio|device:string;network:network ref;host:host ref;MAC:string;MTU:int;VLAN:int;physical:bool;ip_configuration_mode:enum ip_configuration_mode;IP:string;netmask:string;gateway:string;DNS:string;bond_slave_of:Bond ref;VLAN_master_of:VLAN ref;management:bool;other_config:(string -> string) map;disallow_unplug?:bool;ipv6_configuration_mode?:enum ipv6_configuration_mode;IPv6?:string set;ipv6_gateway?:string;primary_address_type?:enum primary_address_type;managed?:bool;properties?:(string -> string) map',
  ],
  'VLAN.remove_from_other_config': [
    'VLAN.pool_introduce|VLAN ref|sa|inverness|tagged_PIF:PIF ref;untagged_PIF:PIF ref;tag:int;other_config:(string -> string) map',
  ],
  'SR.set_physical_size': [
    'SR.set_virtual_allocation|void|s|miami|self:SR ref;value:int',
    'SR.set_physical_utilisation|void|s|miami|self:SR ref;value:int',
  ],
  'SR.forget_data_source_archives': ['SR.get_live_hosts|host ref set|sa|stockholm|sr:SR ref'],
  'VDI.introduce': [
    'VDI.pool_introduce|VDI ref|sa|rio|uuid:string;name_label:string;name_description:string;SR:SR ref;type:enum vdi_type;sharable:bool;read_only:bool;other_config:(string -> string) map;location:string;xenstore_data?:(string -> string) map;sm_config?:(string -> string) map;managed?:bool;virtual_size?:int;physical_utilisation?:int;metadata_of_pool?:pool ref;is_a_snapshot?:bool;snapshot_time?:datetime;snapshot_of?:VDI ref;cbt_enabled?:bool',
    'VDI.db_introduce|VDI ref|sa|rio|uuid:string;name_label:string;name_description:string;SR:SR ref;type:enum vdi_type;sharable:bool;read_only:bool;other_config:(string -> string) map;location:string;xenstore_data?:(string -> string) map;sm_config?:(string -> string) map;managed?:bool;virtual_size?:int;physical_utilisation?:int;metadata_of_pool?:pool ref;is_a_snapshot?:bool;snapshot_time?:datetime;snapshot_of?:VDI ref;cbt_enabled?:bool',
    'VDI.db_forget|void|sa|miami|vdi:VDI ref',
  ],
  'VDI.copy': ['VDI.force_unlock|void|sa|rio|vdi:VDI ref', 'VDI.set_managed|void|s|rio|self:VDI ref;value:bool'],
  'VDI.set_read_only': [
    'VDI.set_missing|void|s|miami|self:VDI ref;value:bool',
    'VDI.set_virtual_size|void|s|miami|self:VDI ref;value:int',
    'VDI.set_physical_utilisation|void|s|miami|self:VDI ref;value:int',
    'VDI.set_is_a_snapshot|void|s|boston|self:VDI ref;value:bool',
    'VDI.set_snapshot_of|void|s|boston|self:VDI ref;value:VDI ref',
    'VDI.set_snapshot_time|void|s|boston|self:VDI ref;value:datetime',
    'VDI.set_metadata_of_pool|void|s|boston|self:VDI ref;value:pool ref',
  ],
  'VDI.set_name_description': ['VDI.generate_config|string|sa|orlando|host:host ref;vdi:VDI ref'],
  'VDI.open_database': ['VDI.checksum|string|sa|boston|self:VDI ref'],
  'VDI.disable_cbt': ['VDI.set_cbt_enabled|void|sa|inverness|self:VDI ref;value:bool'],
  'VBD.unplug_force': ['VBD.unplug_force_no_safety_check|void|sa|symc|self:VBD ref'],
  'VBD.assert_attachable': [
    'VBD.pause|string|sa|symc|self:VBD ref',
    'VBD.unpause|void|sa|symc|self:VBD ref;token?:string',
  ],
  'VTPM.destroy': [
    'VTPM.get_contents|string|sa|22.26.0|self:VTPM ref',
    'VTPM.set_contents|void|sa|22.26.0|self:VTPM ref;contents:string',
  ],
  'secret.remove_from_other_config': [
    'secret.introduce|secret ref|s|midnight-ride|uuid:string;value:string;other_config?:(string -> string) map',
  ],
  'GPU_group.destroy': [
    'GPU_group.update_enabled_VGPU_types|void|sa|vgpu-productisation|self:GPU_group ref',
    'GPU_group.update_supported_VGPU_types|void|sa|vgpu-productisation|self:GPU_group ref',
  ],
  'VGPU.destroy': ['VGPU.atomic_set_resident_on|void|sap|dundee|self:VGPU ref;value:PGPU ref'],
  'Cluster.pool_resync': ['Cluster.cstack_sync|void|sap|lima|self:Cluster ref'],
  'Cluster_host.force_destroy': ['Cluster_host.forget|void|sa|lima|self:Cluster_host ref'],
  // The one class of which nothing is published.
  'Certificate.get_all_records': [
    'Diagnostics.gc_compact|void|sa|stockholm|host:host ref',
    'Diagnostics.gc_stats|(string -> string) map|sa|stockholm|host:host ref',
    'Diagnostics.db_stats|(string -> string) map|sa|stockholm|',
    'Diagnostics.network_stats|string set set|sa|stockholm|host:host ref;params:(string -> string) map',
  ],
  'Repository.forget': ['Repository.apply|void|sap|1.301.0|host:host ref'],
  'Repository.set_gpgkey_path': [
    'Repository.apply_livepatch|void|sap|22.20.0|host:host ref;component:string;base_build_id:string;base_version:string;base_release:string;to_version:string;to_release:string',
  ],
  'Observer.set_name_description': [
    'Observer.register|void|sa|23.14.0|self:Observer ref;host:host ref',
    'Observer.unregister|void|sa|23.14.0|self:Observer ref;host:host ref',
  ],
};

/** Published messages that the daemon lists elsewhere than their place in the data model tells. */
export const movedMessages: Readonly<Record<string, readonly string[]>> = {
  'VM.remove_from_HVM_boot_params': ['VM.set_platform', 'VM.add_to_platform', 'VM.remove_from_platform'],
  'VM.set_PCI_bus': ['VM.set_other_config', 'VM.add_to_other_config', 'VM.remove_from_other_config'],
};

export const hiddenAfter = (fullName: string): readonly string[] => following[fullName] ?? [];
