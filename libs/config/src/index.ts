export { readSettings, setting, SettingsError, type Setting, type SettingOptions, type Settings, type SettingProblem } from './read-settings.ts';
export { liveSetting, type LiveEtcdSetting, type LiveSettingOptions } from './live-setting.ts';
export { liveLogLevel, parseLogLevel, type LiveLogLevelOptions } from './live-log-level.ts';
