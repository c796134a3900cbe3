/** A message that the genuine daemon lists and answers to although its published data model leaves it out. */
export interface HiddenMessage {
  readonly fullName: string;
  /** The published message that it follows in system.listMethods, which this was read from. */
  readonly after: string;
}

const following: Readonly<Record<string, readonly string[]>> = {
  'session.change_password': ['session.slave_login', 'session.slave_local_login'],
  'pool.eject': ['pool.initial_auth', 'pool.exchange_certificates_on_join', 'pool.exchange_ca_certificates_on_join'],
  'pool.recover_slaves': ['pool.hello', 'pool.is_slave'],
  'pool.create_new_blob': [
    'pool.ha_schedule_plan_recomputation',
    'pool.enable_binary_storage',
    'pool.disable_binary_storage',
  ],
  'pool.disable_redo_log': ['pool.audit_log_append'],
  'pool_update.destroy': ['pool_update.attach', 'pool_update.detach', 'pool_update.resync_host'],
  'VM.suspend': ['VM.csvm'],
  'VM.resume': ['VM.set_is_default_template', 'VM.hard_reboot_internal'],
  'VM.pool_migrate': ['VM.pool_migrate_complete'],
  'VM.assert_can_migrate': ['VM.assert_can_migrate_sender'],
  'VM.assert_can_boot_here': ['VM.atomic_set_resident_on'],
  'VM.create_new_blob': ['VM.s3_suspend', 'VM.s3_resume'],
  'VM.assert_agile': ['VM.update_snapshot_metadata'],
  'VM.set_HVM_boot_policy': ['VM.set_NVRAM_EFI_variables'],
  'VMPP.archive_now': ['VMPP.create_alert'],
  'VMPP.set_backup_retention_value': ['VMPP.set_is_backup_running', 'VMPP.set_is_archive_running'],
  'host.emergency_ha_disable': ['host.local_assert_healthy', 'host.is_in_emergency_mode'],
};

/** Published messages that the daemon lists elsewhere than their place in the data model tells. */
export const movedMessages: Readonly<Record<string, readonly string[]>> = {
  'VM.remove_from_HVM_boot_params': ['VM.set_platform', 'VM.add_to_platform', 'VM.remove_from_platform'],
  'VM.set_PCI_bus': ['VM.set_other_config', 'VM.add_to_other_config', 'VM.remove_from_other_config'],
};

export const hiddenMessages: readonly HiddenMessage[] = Object.entries(following).flatMap(([after, names]) =>
  names.map((fullName) => ({ fullName, after })),
);
