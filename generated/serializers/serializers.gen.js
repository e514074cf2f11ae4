// Written by `npm run generate` from openapi/. Never edit it here.

import { envelope, isObject, json, list, map, refuse } from './runtime.gen.ts';

function pickAccountDeletion(o) {
  if (!isObject(o)) refuse("AccountDeletion", 'an object', o);
  return {
    "requested_at": typeof o.requested_at === 'string' ? o.requested_at : refuse("AccountDeletion.requested_at", "string", o.requested_at),
    "erased_by": typeof o.erased_by === 'string' ? o.erased_by : refuse("AccountDeletion.erased_by", "string", o.erased_by),
    "projects": pickDeletedAccountProjects(o.projects),
    "teams": pickDeletedAccountTeams(o.teams),
  };
}
function pickAccountHoldings(o) {
  if (!isObject(o)) refuse("AccountHoldings", 'an object', o);
  return {
    "projects": Number.isInteger(o.projects) ? o.projects : refuse("AccountHoldings.projects", "integer", o.projects),
    "teams": Number.isInteger(o.teams) ? o.teams : refuse("AccountHoldings.teams", "integer", o.teams),
    "sessions": Number.isInteger(o.sessions) ? o.sessions : refuse("AccountHoldings.sessions", "integer", o.sessions),
    "api_keys": Number.isInteger(o.api_keys) ? o.api_keys : refuse("AccountHoldings.api_keys", "integer", o.api_keys),
    "preview_jobs_30d": Number.isInteger(o.preview_jobs_30d) ? o.preview_jobs_30d : refuse("AccountHoldings.preview_jobs_30d", "integer", o.preview_jobs_30d),
    "ai_jobs_30d": Number.isInteger(o.ai_jobs_30d) ? o.ai_jobs_30d : refuse("AccountHoldings.ai_jobs_30d", "integer", o.ai_jobs_30d),
  };
}
function pickActivityData(o) {
  return isObject(o) ? json(o, "ActivityData") : refuse("ActivityData", "object", o);
}
function pickAdminUser(o) {
  if (!isObject(o)) refuse("AdminUser", 'an object', o);
  return {
    "id": typeof o.id === 'string' ? o.id : refuse("AdminUser.id", "string", o.id),
    "email": typeof o.email === 'string' ? o.email : refuse("AdminUser.email", "string", o.email),
    "username": typeof o.username === 'string' ? o.username : refuse("AdminUser.username", "string", o.username),
    "display_name": (typeof o.display_name === 'string' || o.display_name === null) ? o.display_name : refuse("AdminUser.display_name", "string or null", o.display_name),
    "tier": typeof o.tier === 'string' ? o.tier : refuse("AdminUser.tier", "string", o.tier),
    "tier_source": typeof o.tier_source === 'string' ? o.tier_source : refuse("AdminUser.tier_source", "string", o.tier_source),
    "tier_override": (typeof o.tier_override === 'string' || o.tier_override === null) ? o.tier_override : refuse("AdminUser.tier_override", "string or null", o.tier_override),
    "tier_override_until": (typeof o.tier_override_until === 'string' || o.tier_override_until === null) ? o.tier_override_until : refuse("AdminUser.tier_override_until", "string or null", o.tier_override_until),
    "subscription_tier": (typeof o.subscription_tier === 'string' || o.subscription_tier === null) ? o.subscription_tier : refuse("AdminUser.subscription_tier", "string or null", o.subscription_tier),
    "email_verified_at": (typeof o.email_verified_at === 'string' || o.email_verified_at === null) ? o.email_verified_at : refuse("AdminUser.email_verified_at", "string or null", o.email_verified_at),
    "mfa_enabled": typeof o.mfa_enabled === 'boolean' ? o.mfa_enabled : refuse("AdminUser.mfa_enabled", "boolean", o.mfa_enabled),
    "suspended_at": (typeof o.suspended_at === 'string' || o.suspended_at === null) ? o.suspended_at : refuse("AdminUser.suspended_at", "string or null", o.suspended_at),
    "suspended_reason": (typeof o.suspended_reason === 'string' || o.suspended_reason === null) ? o.suspended_reason : refuse("AdminUser.suspended_reason", "string or null", o.suspended_reason),
    "deleted_at": (typeof o.deleted_at === 'string' || o.deleted_at === null) ? o.deleted_at : refuse("AdminUser.deleted_at", "string or null", o.deleted_at),
    "last_login": (typeof o.last_login === 'string' || o.last_login === null) ? o.last_login : refuse("AdminUser.last_login", "string or null", o.last_login),
    "created_at": typeof o.created_at === 'string' ? o.created_at : refuse("AdminUser.created_at", "string", o.created_at),
    "updated_at": typeof o.updated_at === 'string' ? o.updated_at : refuse("AdminUser.updated_at", "string", o.updated_at),
  };
}
function pickAdminUserDetail(o) {
  if (!isObject(o)) refuse("AdminUserDetail", 'an object', o);
  return {
    "id": typeof o.id === 'string' ? o.id : refuse("AdminUserDetail.id", "string", o.id),
    "email": typeof o.email === 'string' ? o.email : refuse("AdminUserDetail.email", "string", o.email),
    "username": typeof o.username === 'string' ? o.username : refuse("AdminUserDetail.username", "string", o.username),
    "display_name": (typeof o.display_name === 'string' || o.display_name === null) ? o.display_name : refuse("AdminUserDetail.display_name", "string or null", o.display_name),
    "tier": typeof o.tier === 'string' ? o.tier : refuse("AdminUserDetail.tier", "string", o.tier),
    "tier_source": typeof o.tier_source === 'string' ? o.tier_source : refuse("AdminUserDetail.tier_source", "string", o.tier_source),
    "tier_override": (typeof o.tier_override === 'string' || o.tier_override === null) ? o.tier_override : refuse("AdminUserDetail.tier_override", "string or null", o.tier_override),
    "tier_override_until": (typeof o.tier_override_until === 'string' || o.tier_override_until === null) ? o.tier_override_until : refuse("AdminUserDetail.tier_override_until", "string or null", o.tier_override_until),
    "subscription_tier": (typeof o.subscription_tier === 'string' || o.subscription_tier === null) ? o.subscription_tier : refuse("AdminUserDetail.subscription_tier", "string or null", o.subscription_tier),
    "email_verified_at": (typeof o.email_verified_at === 'string' || o.email_verified_at === null) ? o.email_verified_at : refuse("AdminUserDetail.email_verified_at", "string or null", o.email_verified_at),
    "mfa_enabled": typeof o.mfa_enabled === 'boolean' ? o.mfa_enabled : refuse("AdminUserDetail.mfa_enabled", "boolean", o.mfa_enabled),
    "suspended_at": (typeof o.suspended_at === 'string' || o.suspended_at === null) ? o.suspended_at : refuse("AdminUserDetail.suspended_at", "string or null", o.suspended_at),
    "suspended_reason": (typeof o.suspended_reason === 'string' || o.suspended_reason === null) ? o.suspended_reason : refuse("AdminUserDetail.suspended_reason", "string or null", o.suspended_reason),
    "deleted_at": (typeof o.deleted_at === 'string' || o.deleted_at === null) ? o.deleted_at : refuse("AdminUserDetail.deleted_at", "string or null", o.deleted_at),
    "last_login": (typeof o.last_login === 'string' || o.last_login === null) ? o.last_login : refuse("AdminUserDetail.last_login", "string or null", o.last_login),
    "created_at": typeof o.created_at === 'string' ? o.created_at : refuse("AdminUserDetail.created_at", "string", o.created_at),
    "updated_at": typeof o.updated_at === 'string' ? o.updated_at : refuse("AdminUserDetail.updated_at", "string", o.updated_at),
    "holdings": pickAccountHoldings(o.holdings),
  };
}
function pickAdminUserPage(o) {
  if (!isObject(o)) refuse("AdminUserPage", 'an object', o);
  return {
    "items": list(o.items, "AdminUserPage.items", pickAdminUser),
    "page": pickPage(o.page),
  };
}
function pickAiContextSource(o) {
  if (!isObject(o)) refuse("AiContextSource", 'an object', o);
  return {
    "path": typeof o.path === 'string' ? o.path : refuse("AiContextSource.path", "string", o.path),
    "content": typeof o.content === 'string' ? o.content : refuse("AiContextSource.content", "string", o.content),
  };
}
function pickAiDocJobInput(o) {
  if (!isObject(o)) refuse("AiDocJobInput", 'an object', o);
  return {
    "kind": o.kind === "ai_doc" ? o.kind : refuse("AiDocJobInput.kind", "\"ai_doc\"", o.kind),
    "project_id": typeof o.project_id === 'string' ? o.project_id : refuse("AiDocJobInput.project_id", "string", o.project_id),
    "job_type": typeof o.job_type === 'string' ? o.job_type : refuse("AiDocJobInput.job_type", "string", o.job_type),
    "file_path": typeof o.file_path === 'string' ? o.file_path : refuse("AiDocJobInput.file_path", "string", o.file_path),
    "language": (typeof o.language === 'string' || o.language === null) ? o.language : refuse("AiDocJobInput.language", "string or null", o.language),
    "style": typeof o.style === 'string' ? o.style : refuse("AiDocJobInput.style", "string", o.style),
    "selection": pickLineRange(o.selection),
    "content": typeof o.content === 'string' ? o.content : refuse("AiDocJobInput.content", "string", o.content),
    "context": list(o.context, "AiDocJobInput.context", pickAiContextSource),
    "limits": pickAiLimits(o.limits),
  };
}
function pickAiLimits(o) {
  if (!isObject(o)) refuse("AiLimits", 'an object', o);
  return {
    "max_lines": Number.isInteger(o.max_lines) ? o.max_lines : refuse("AiLimits.max_lines", "integer", o.max_lines),
    "max_input_tokens": Number.isInteger(o.max_input_tokens) ? o.max_input_tokens : refuse("AiLimits.max_input_tokens", "integer", o.max_input_tokens),
    "max_output_tokens": Number.isInteger(o.max_output_tokens) ? o.max_output_tokens : refuse("AiLimits.max_output_tokens", "integer", o.max_output_tokens),
  };
}
function pickApiKey(o) {
  if (!isObject(o)) refuse("ApiKey", 'an object', o);
  return {
    "id": typeof o.id === 'string' ? o.id : refuse("ApiKey.id", "string", o.id),
    "name": typeof o.name === 'string' ? o.name : refuse("ApiKey.name", "string", o.name),
    "prefix": typeof o.prefix === 'string' ? o.prefix : refuse("ApiKey.prefix", "string", o.prefix),
    "last_four": typeof o.last_four === 'string' ? o.last_four : refuse("ApiKey.last_four", "string", o.last_four),
    "scopes": pickApiKeyScopes(o.scopes),
    "project_ids": pickApiKeyProjects(o.project_ids),
    "expires_at": (typeof o.expires_at === 'string' || o.expires_at === null) ? o.expires_at : refuse("ApiKey.expires_at", "string or null", o.expires_at),
    "last_used_at": (typeof o.last_used_at === 'string' || o.last_used_at === null) ? o.last_used_at : refuse("ApiKey.last_used_at", "string or null", o.last_used_at),
    "created_at": typeof o.created_at === 'string' ? o.created_at : refuse("ApiKey.created_at", "string", o.created_at),
    "updated_at": typeof o.updated_at === 'string' ? o.updated_at : refuse("ApiKey.updated_at", "string", o.updated_at),
  };
}
function pickApiKeyCreated(o) {
  if (!isObject(o)) refuse("ApiKeyCreated", 'an object', o);
  return {
    "api_key": pickApiKey(o.api_key),
    "key": typeof o.key === 'string' ? o.key : refuse("ApiKeyCreated.key", "string", o.key),
  };
}
function pickApiKeyPage(o) {
  if (!isObject(o)) refuse("ApiKeyPage", 'an object', o);
  return {
    "items": list(o.items, "ApiKeyPage.items", pickApiKey),
    "page": pickPage(o.page),
  };
}
function pickApiKeyProjects(o) {
  return o === null ? (null) : Array.isArray(o) ? (list(o, "ApiKeyProjects", (o) => typeof o === 'string' ? o : refuse("ApiKeyProjects[]", "string", o))) : refuse("ApiKeyProjects", "array or null", o);
}
function pickApiKeyScopes(o) {
  return list(o, "ApiKeyScopes", (o) => typeof o === 'string' ? o : refuse("ApiKeyScopes[]", "string", o));
}
function pickAttachmentDownload(o) {
  if (!isObject(o)) refuse("AttachmentDownload", 'an object', o);
  return {
    "url": typeof o.url === 'string' ? o.url : refuse("AttachmentDownload.url", "string", o.url),
    "expires_in": (Number.isInteger(o.expires_in) || o.expires_in === null) ? o.expires_in : refuse("AttachmentDownload.expires_in", "integer or null", o.expires_in),
  };
}
function pickClaimedJob(o) {
  if (!isObject(o)) refuse("ClaimedJob", 'an object', o);
  return {
    "job_id": typeof o.job_id === 'string' ? o.job_id : refuse("ClaimedJob.job_id", "string", o.job_id),
    "kind": typeof o.kind === 'string' ? o.kind : refuse("ClaimedJob.kind", "string", o.kind),
    "attempt": Number.isInteger(o.attempt) ? o.attempt : refuse("ClaimedJob.attempt", "integer", o.attempt),
    "max_attempts": Number.isInteger(o.max_attempts) ? o.max_attempts : refuse("ClaimedJob.max_attempts", "integer", o.max_attempts),
    "epoch": Number.isInteger(o.epoch) ? o.epoch : refuse("ClaimedJob.epoch", "integer", o.epoch),
    "lease_token": typeof o.lease_token === 'string' ? o.lease_token : refuse("ClaimedJob.lease_token", "string", o.lease_token),
    "lease_expires_at": typeof o.lease_expires_at === 'string' ? o.lease_expires_at : refuse("ClaimedJob.lease_expires_at", "string", o.lease_expires_at),
    "timeout_ms": Number.isInteger(o.timeout_ms) ? o.timeout_ms : refuse("ClaimedJob.timeout_ms", "integer", o.timeout_ms),
    "input": pickJobInput(o.input),
  };
}
function pickCodeAnchor(o) {
  if (!isObject(o)) refuse("CodeAnchor", 'an object', o);
  return {
    "path": typeof o.path === 'string' ? o.path : refuse("CodeAnchor.path", "string", o.path),
    "line_start": Number.isInteger(o.line_start) ? o.line_start : refuse("CodeAnchor.line_start", "integer", o.line_start),
    "line_end": Number.isInteger(o.line_end) ? o.line_end : refuse("CodeAnchor.line_end", "integer", o.line_end),
    "commit": o.commit === undefined ? undefined : (typeof o.commit === 'string' || o.commit === null) ? o.commit : refuse("CodeAnchor.commit", "string or null", o.commit),
  };
}
function pickComment(o) {
  if (!isObject(o)) refuse("Comment", 'an object', o);
  return {
    "id": typeof o.id === 'string' ? o.id : refuse("Comment.id", "string", o.id),
    "project_id": typeof o.project_id === 'string' ? o.project_id : refuse("Comment.project_id", "string", o.project_id),
    "parent_id": (typeof o.parent_id === 'string' || o.parent_id === null) ? o.parent_id : refuse("Comment.parent_id", "string or null", o.parent_id),
    "entity_type": typeof o.entity_type === 'string' ? o.entity_type : refuse("Comment.entity_type", "string", o.entity_type),
    "entity_id": typeof o.entity_id === 'string' ? o.entity_id : refuse("Comment.entity_id", "string", o.entity_id),
    "anchor": o.anchor === null ? (null) : pickCodeAnchor(o.anchor),
    "author_id": (typeof o.author_id === 'string' || o.author_id === null) ? o.author_id : refuse("Comment.author_id", "string or null", o.author_id),
    "body": (typeof o.body === 'string' || o.body === null) ? o.body : refuse("Comment.body", "string or null", o.body),
    "mentions": list(o.mentions, "Comment.mentions", pickCommentMention),
    "reply_count": Number.isInteger(o.reply_count) ? o.reply_count : refuse("Comment.reply_count", "integer", o.reply_count),
    "is_starred": typeof o.is_starred === 'boolean' ? o.is_starred : refuse("Comment.is_starred", "boolean", o.is_starred),
    "star_count": Number.isInteger(o.star_count) ? o.star_count : refuse("Comment.star_count", "integer", o.star_count),
    "is_deleted": typeof o.is_deleted === 'boolean' ? o.is_deleted : refuse("Comment.is_deleted", "boolean", o.is_deleted),
    "edited_at": (typeof o.edited_at === 'string' || o.edited_at === null) ? o.edited_at : refuse("Comment.edited_at", "string or null", o.edited_at),
    "created_at": typeof o.created_at === 'string' ? o.created_at : refuse("Comment.created_at", "string", o.created_at),
    "updated_at": typeof o.updated_at === 'string' ? o.updated_at : refuse("Comment.updated_at", "string", o.updated_at),
  };
}
function pickCommentMention(o) {
  if (!isObject(o)) refuse("CommentMention", 'an object', o);
  return {
    "user_id": typeof o.user_id === 'string' ? o.user_id : refuse("CommentMention.user_id", "string", o.user_id),
    "username": typeof o.username === 'string' ? o.username : refuse("CommentMention.username", "string", o.username),
  };
}
function pickCommentPage(o) {
  if (!isObject(o)) refuse("CommentPage", 'an object', o);
  return {
    "items": list(o.items, "CommentPage.items", pickComment),
    "page": pickPage(o.page),
  };
}
function pickDataExport(o) {
  if (!isObject(o)) refuse("DataExport", 'an object', o);
  return {
    "id": typeof o.id === 'string' ? o.id : refuse("DataExport.id", "string", o.id),
    "status": typeof o.status === 'string' ? o.status : refuse("DataExport.status", "string", o.status),
    "size": (Number.isInteger(o.size) || o.size === null) ? o.size : refuse("DataExport.size", "integer or null", o.size),
    "sha256": (typeof o.sha256 === 'string' || o.sha256 === null) ? o.sha256 : refuse("DataExport.sha256", "string or null", o.sha256),
    "download_url": (typeof o.download_url === 'string' || o.download_url === null) ? o.download_url : refuse("DataExport.download_url", "string or null", o.download_url),
    "created_at": typeof o.created_at === 'string' ? o.created_at : refuse("DataExport.created_at", "string", o.created_at),
    "completed_at": (typeof o.completed_at === 'string' || o.completed_at === null) ? o.completed_at : refuse("DataExport.completed_at", "string or null", o.completed_at),
    "expires_at": (typeof o.expires_at === 'string' || o.expires_at === null) ? o.expires_at : refuse("DataExport.expires_at", "string or null", o.expires_at),
  };
}
function pickDeadJob(o) {
  if (!isObject(o)) refuse("DeadJob", 'an object', o);
  return {
    "job_id": typeof o.job_id === 'string' ? o.job_id : refuse("DeadJob.job_id", "string", o.job_id),
    "kind": typeof o.kind === 'string' ? o.kind : refuse("DeadJob.kind", "string", o.kind),
    "project_id": (typeof o.project_id === 'string' || o.project_id === null) ? o.project_id : refuse("DeadJob.project_id", "string or null", o.project_id),
    "requested_by": (typeof o.requested_by === 'string' || o.requested_by === null) ? o.requested_by : refuse("DeadJob.requested_by", "string or null", o.requested_by),
    "queue": typeof o.queue === 'string' ? o.queue : refuse("DeadJob.queue", "string", o.queue),
    "attempts": Number.isInteger(o.attempts) ? o.attempts : refuse("DeadJob.attempts", "integer", o.attempts),
    "worker_id": (typeof o.worker_id === 'string' || o.worker_id === null) ? o.worker_id : refuse("DeadJob.worker_id", "string or null", o.worker_id),
    "failure_kind": typeof o.failure_kind === 'string' ? o.failure_kind : refuse("DeadJob.failure_kind", "string", o.failure_kind),
    "failure_message": typeof o.failure_message === 'string' ? o.failure_message : refuse("DeadJob.failure_message", "string", o.failure_message),
    "created_at": typeof o.created_at === 'string' ? o.created_at : refuse("DeadJob.created_at", "string", o.created_at),
    "died_at": typeof o.died_at === 'string' ? o.died_at : refuse("DeadJob.died_at", "string", o.died_at),
    "retried_at": (typeof o.retried_at === 'string' || o.retried_at === null) ? o.retried_at : refuse("DeadJob.retried_at", "string or null", o.retried_at),
  };
}
function pickDeadJobPage(o) {
  if (!isObject(o)) refuse("DeadJobPage", 'an object', o);
  return {
    "items": list(o.items, "DeadJobPage.items", pickDeadJob),
    "page": pickPage(o.page),
  };
}
function pickDeepHealth(o) {
  if (!isObject(o)) refuse("DeepHealth", 'an object', o);
  return {
    "status": typeof o.status === 'string' ? o.status : refuse("DeepHealth.status", "string", o.status),
    "version": typeof o.version === 'string' ? o.version : refuse("DeepHealth.version", "string", o.version),
    "time": typeof o.time === 'string' ? o.time : refuse("DeepHealth.time", "string", o.time),
    "parts": o.parts === null ? (null) : Array.isArray(o.parts) ? (list(o.parts, "DeepHealth.parts", pickPartHealth)) : refuse("DeepHealth.parts", "array or null", o.parts),
  };
}
function pickDeletedAccountProjects(o) {
  if (!isObject(o)) refuse("DeletedAccountProjects", 'an object', o);
  return {
    "erased": Number.isInteger(o.erased) ? o.erased : refuse("DeletedAccountProjects.erased", "integer", o.erased),
    "handed_over": Number.isInteger(o.handed_over) ? o.handed_over : refuse("DeletedAccountProjects.handed_over", "integer", o.handed_over),
  };
}
function pickDeletedAccountTeams(o) {
  if (!isObject(o)) refuse("DeletedAccountTeams", 'an object', o);
  return {
    "erased": Number.isInteger(o.erased) ? o.erased : refuse("DeletedAccountTeams.erased", "integer", o.erased),
    "left": Number.isInteger(o.left) ? o.left : refuse("DeletedAccountTeams.left", "integer", o.left),
  };
}
function pickDevice(o) {
  if (!isObject(o)) refuse("Device", 'an object', o);
  return {
    "id": typeof o.id === 'string' ? o.id : refuse("Device.id", "string", o.id),
    "device_name": typeof o.device_name === 'string' ? o.device_name : refuse("Device.device_name", "string", o.device_name),
    "platform": typeof o.platform === 'string' ? o.platform : refuse("Device.platform", "string", o.platform),
    "session_count": Number.isInteger(o.session_count) ? o.session_count : refuse("Device.session_count", "integer", o.session_count),
    "current": typeof o.current === 'boolean' ? o.current : refuse("Device.current", "boolean", o.current),
    "created_at": typeof o.created_at === 'string' ? o.created_at : refuse("Device.created_at", "string", o.created_at),
    "last_seen": typeof o.last_seen === 'string' ? o.last_seen : refuse("Device.last_seen", "string", o.last_seen),
  };
}
function pickDeviceLink(o) {
  if (!isObject(o)) refuse("DeviceLink", 'an object', o);
  return {
    "user_code": typeof o.user_code === 'string' ? o.user_code : refuse("DeviceLink.user_code", "string", o.user_code),
    "status": typeof o.status === 'string' ? o.status : refuse("DeviceLink.status", "string", o.status),
    "client_name": typeof o.client_name === 'string' ? o.client_name : refuse("DeviceLink.client_name", "string", o.client_name),
    "device_name": (typeof o.device_name === 'string' || o.device_name === null) ? o.device_name : refuse("DeviceLink.device_name", "string or null", o.device_name),
    "platform": (typeof o.platform === 'string' || o.platform === null) ? o.platform : refuse("DeviceLink.platform", "string or null", o.platform),
    "ip_address": typeof o.ip_address === 'string' ? o.ip_address : refuse("DeviceLink.ip_address", "string", o.ip_address),
    "user_agent": (typeof o.user_agent === 'string' || o.user_agent === null) ? o.user_agent : refuse("DeviceLink.user_agent", "string or null", o.user_agent),
    "created_at": typeof o.created_at === 'string' ? o.created_at : refuse("DeviceLink.created_at", "string", o.created_at),
    "expires_at": typeof o.expires_at === 'string' ? o.expires_at : refuse("DeviceLink.expires_at", "string", o.expires_at),
  };
}
function pickDeviceLinkGrant(o) {
  if (!isObject(o)) refuse("DeviceLinkGrant", 'an object', o);
  return {
    "device_code": typeof o.device_code === 'string' ? o.device_code : refuse("DeviceLinkGrant.device_code", "string", o.device_code),
    "user_code": typeof o.user_code === 'string' ? o.user_code : refuse("DeviceLinkGrant.user_code", "string", o.user_code),
    "verification_uri": typeof o.verification_uri === 'string' ? o.verification_uri : refuse("DeviceLinkGrant.verification_uri", "string", o.verification_uri),
    "verification_uri_complete": typeof o.verification_uri_complete === 'string' ? o.verification_uri_complete : refuse("DeviceLinkGrant.verification_uri_complete", "string", o.verification_uri_complete),
    "expires_in": Number.isInteger(o.expires_in) ? o.expires_in : refuse("DeviceLinkGrant.expires_in", "integer", o.expires_in),
    "interval": Number.isInteger(o.interval) ? o.interval : refuse("DeviceLinkGrant.interval", "integer", o.interval),
  };
}
function pickDevicePage(o) {
  if (!isObject(o)) refuse("DevicePage", 'an object', o);
  return {
    "items": list(o.items, "DevicePage.items", pickDevice),
    "page": pickPage(o.page),
  };
}
function pickFailureCount(o) {
  if (!isObject(o)) refuse("FailureCount", 'an object', o);
  return {
    "kind": typeof o.kind === 'string' ? o.kind : refuse("FailureCount.kind", "string", o.kind),
    "count": Number.isInteger(o.count) ? o.count : refuse("FailureCount.count", "integer", o.count),
  };
}
function pickHeaderMap(o) {
  return map(o, "HeaderMap", (o) => typeof o === 'string' ? o : refuse("HeaderMap.*", "string", o));
}
function pickHealth(o) {
  if (!isObject(o)) refuse("Health", 'an object', o);
  return {
    "status": typeof o.status === 'string' ? o.status : refuse("Health.status", "string", o.status),
    "version": typeof o.version === 'string' ? o.version : refuse("Health.version", "string", o.version),
    "time": typeof o.time === 'string' ? o.time : refuse("Health.time", "string", o.time),
  };
}
function pickInvitation(o) {
  if (!isObject(o)) refuse("Invitation", 'an object', o);
  return {
    "id": typeof o.id === 'string' ? o.id : refuse("Invitation.id", "string", o.id),
    "target_type": typeof o.target_type === 'string' ? o.target_type : refuse("Invitation.target_type", "string", o.target_type),
    "target_id": typeof o.target_id === 'string' ? o.target_id : refuse("Invitation.target_id", "string", o.target_id),
    "target_name": typeof o.target_name === 'string' ? o.target_name : refuse("Invitation.target_name", "string", o.target_name),
    "role": typeof o.role === 'string' ? o.role : refuse("Invitation.role", "string", o.role),
    "status": typeof o.status === 'string' ? o.status : refuse("Invitation.status", "string", o.status),
    "invited_by": o.invited_by === null ? (null) : pickUserSummary(o.invited_by),
    "invitee": o.invitee === null ? (null) : pickUserSummary(o.invitee),
    "email": (typeof o.email === 'string' || o.email === null) ? o.email : refuse("Invitation.email", "string or null", o.email),
    "created_at": typeof o.created_at === 'string' ? o.created_at : refuse("Invitation.created_at", "string", o.created_at),
    "expires_at": typeof o.expires_at === 'string' ? o.expires_at : refuse("Invitation.expires_at", "string", o.expires_at),
    "responded_at": (typeof o.responded_at === 'string' || o.responded_at === null) ? o.responded_at : refuse("Invitation.responded_at", "string or null", o.responded_at),
  };
}
function pickInvitationPage(o) {
  if (!isObject(o)) refuse("InvitationPage", 'an object', o);
  return {
    "items": list(o.items, "InvitationPage.items", pickInvitation),
    "page": pickPage(o.page),
  };
}
function pickJobCounts(o) {
  if (!isObject(o)) refuse("JobCounts", 'an object', o);
  return {
    "requested": Number.isInteger(o.requested) ? o.requested : refuse("JobCounts.requested", "integer", o.requested),
    "succeeded": Number.isInteger(o.succeeded) ? o.succeeded : refuse("JobCounts.succeeded", "integer", o.succeeded),
    "failed": Number.isInteger(o.failed) ? o.failed : refuse("JobCounts.failed", "integer", o.failed),
    "cancelled": Number.isInteger(o.cancelled) ? o.cancelled : refuse("JobCounts.cancelled", "integer", o.cancelled),
    "timed_out": Number.isInteger(o.timed_out) ? o.timed_out : refuse("JobCounts.timed_out", "integer", o.timed_out),
    "success_rate": (Number.isFinite(o.success_rate) || o.success_rate === null) ? o.success_rate : refuse("JobCounts.success_rate", "number or null", o.success_rate),
    "duration_p50_ms": (Number.isInteger(o.duration_p50_ms) || o.duration_p50_ms === null) ? o.duration_p50_ms : refuse("JobCounts.duration_p50_ms", "integer or null", o.duration_p50_ms),
    "duration_p95_ms": (Number.isInteger(o.duration_p95_ms) || o.duration_p95_ms === null) ? o.duration_p95_ms : refuse("JobCounts.duration_p95_ms", "integer or null", o.duration_p95_ms),
    "duration_p99_ms": (Number.isInteger(o.duration_p99_ms) || o.duration_p99_ms === null) ? o.duration_p99_ms : refuse("JobCounts.duration_p99_ms", "integer or null", o.duration_p99_ms),
    "wait_p95_ms": (Number.isInteger(o.wait_p95_ms) || o.wait_p95_ms === null) ? o.wait_p95_ms : refuse("JobCounts.wait_p95_ms", "integer or null", o.wait_p95_ms),
  };
}
function pickJobCountsAt(o) {
  if (!isObject(o)) refuse("JobCountsAt", 'an object', o);
  return {
    "at": typeof o.at === 'string' ? o.at : refuse("JobCountsAt.at", "string", o.at),
    "counts": pickJobCounts(o.counts),
  };
}
function pickJobCountsOfTier(o) {
  if (!isObject(o)) refuse("JobCountsOfTier", 'an object', o);
  return {
    "tier": typeof o.tier === 'string' ? o.tier : refuse("JobCountsOfTier.tier", "string", o.tier),
    "counts": pickJobCounts(o.counts),
  };
}
function pickJobInput(o) {
  return !isObject(o) ? refuse("JobInput", "an object with a known kind", o) : o["kind"] === "preview" ? (pickPreviewJobInput(o)) : o["kind"] === "live_session" ? (pickLiveSessionInput(o)) : o["kind"] === "ai_doc" ? (pickAiDocJobInput(o)) : o["kind"] === "refactor" ? (pickRefactorJobInput(o)) : o["kind"] === "repo_sync" ? (pickRepoSyncInput(o)) : refuse("JobInput", "an object with a known kind", o);
}
function pickJobProgressReply(o) {
  if (!isObject(o)) refuse("JobProgressReply", 'an object', o);
  return {
    "lease_expires_at": typeof o.lease_expires_at === 'string' ? o.lease_expires_at : refuse("JobProgressReply.lease_expires_at", "string", o.lease_expires_at),
    "stop": typeof o.stop === 'boolean' ? o.stop : refuse("JobProgressReply.stop", "boolean", o.stop),
    "reason": (typeof o.reason === 'string' || o.reason === null) ? o.reason : refuse("JobProgressReply.reason", "string or null", o.reason),
    "live_changes": list(o.live_changes, "JobProgressReply.live_changes", pickLiveChangeSet),
  };
}
function pickJobResultReceipt(o) {
  if (!isObject(o)) refuse("JobResultReceipt", 'an object', o);
  return {
    "accepted": typeof o.accepted === 'boolean' ? o.accepted : refuse("JobResultReceipt.accepted", "boolean", o.accepted),
    "job_status": typeof o.job_status === 'string' ? o.job_status : refuse("JobResultReceipt.job_status", "string", o.job_status),
    "reason": (typeof o.reason === 'string' || o.reason === null) ? o.reason : refuse("JobResultReceipt.reason", "string or null", o.reason),
  };
}
function pickJobSource(o) {
  if (!isObject(o)) refuse("JobSource", 'an object', o);
  return {
    "path": typeof o.path === 'string' ? o.path : refuse("JobSource.path", "string", o.path),
    "size": Number.isInteger(o.size) ? o.size : refuse("JobSource.size", "integer", o.size),
    "sha256": typeof o.sha256 === 'string' ? o.sha256 : refuse("JobSource.sha256", "string", o.sha256),
    "url": typeof o.url === 'string' ? o.url : refuse("JobSource.url", "string", o.url),
  };
}
function pickJobSources(o) {
  if (!isObject(o)) refuse("JobSources", 'an object', o);
  return {
    "count": Number.isInteger(o.count) ? o.count : refuse("JobSources.count", "integer", o.count),
    "bytes": Number.isInteger(o.bytes) ? o.bytes : refuse("JobSources.bytes", "integer", o.bytes),
    "items": o.items === null ? (null) : Array.isArray(o.items) ? (list(o.items, "JobSources.items", pickJobSource)) : refuse("JobSources.items", "array or null", o.items),
    "url": (typeof o.url === 'string' || o.url === null) ? o.url : refuse("JobSources.url", "string or null", o.url),
  };
}
function pickJobUpload(o) {
  if (!isObject(o)) refuse("JobUpload", 'an object', o);
  return {
    "path": typeof o.path === 'string' ? o.path : refuse("JobUpload.path", "string", o.path),
    "object_key": typeof o.object_key === 'string' ? o.object_key : refuse("JobUpload.object_key", "string", o.object_key),
    "upload_url": (typeof o.upload_url === 'string' || o.upload_url === null) ? o.upload_url : refuse("JobUpload.upload_url", "string or null", o.upload_url),
    "headers": pickHeaderMap(o.headers),
  };
}
function pickJobUploads(o) {
  if (!isObject(o)) refuse("JobUploads", 'an object', o);
  return {
    "uploads": list(o.uploads, "JobUploads.uploads", pickJobUpload),
    "expires_in": Number.isInteger(o.expires_in) ? o.expires_in : refuse("JobUploads.expires_in", "integer", o.expires_in),
  };
}
function pickLineRange(o) {
  if (!isObject(o)) refuse("LineRange", 'an object', o);
  return {
    "start_line": Number.isInteger(o.start_line) ? o.start_line : refuse("LineRange.start_line", "integer", o.start_line),
    "end_line": Number.isInteger(o.end_line) ? o.end_line : refuse("LineRange.end_line", "integer", o.end_line),
  };
}
function pickLiveAsset(o) {
  if (!isObject(o)) refuse("LiveAsset", 'an object', o);
  return {
    "path": typeof o.path === 'string' ? o.path : refuse("LiveAsset.path", "string", o.path),
    "size": Number.isInteger(o.size) ? o.size : refuse("LiveAsset.size", "integer", o.size),
    "sha256": typeof o.sha256 === 'string' ? o.sha256 : refuse("LiveAsset.sha256", "string", o.sha256),
    "url": typeof o.url === 'string' ? o.url : refuse("LiveAsset.url", "string", o.url),
  };
}
function pickLiveChangeSet(o) {
  if (!isObject(o)) refuse("LiveChangeSet", 'an object', o);
  return {
    "revision": Number.isInteger(o.revision) ? o.revision : refuse("LiveChangeSet.revision", "integer", o.revision),
    "written": list(o.written, "LiveChangeSet.written", pickJobSource),
    "removed": list(o.removed, "LiveChangeSet.removed", (o) => typeof o === 'string' ? o : refuse("LiveChangeSet.removed[]", "string", o)),
  };
}
function pickLiveKnownAsset(o) {
  if (!isObject(o)) refuse("LiveKnownAsset", 'an object', o);
  return {
    "path": typeof o.path === 'string' ? o.path : refuse("LiveKnownAsset.path", "string", o.path),
    "sha256": typeof o.sha256 === 'string' ? o.sha256 : refuse("LiveKnownAsset.sha256", "string", o.sha256),
  };
}
function pickLiveRevision(o) {
  if (!isObject(o)) refuse("LiveRevision", 'an object', o);
  return {
    "live_id": typeof o.live_id === 'string' ? o.live_id : refuse("LiveRevision.live_id", "string", o.live_id),
    "revision": Number.isInteger(o.revision) ? o.revision : refuse("LiveRevision.revision", "integer", o.revision),
    "status": typeof o.status === 'string' ? o.status : refuse("LiveRevision.status", "string", o.status),
    "bundle_url": (typeof o.bundle_url === 'string' || o.bundle_url === null) ? o.bundle_url : refuse("LiveRevision.bundle_url", "string or null", o.bundle_url),
    "bundle_size": (Number.isInteger(o.bundle_size) || o.bundle_size === null) ? o.bundle_size : refuse("LiveRevision.bundle_size", "integer or null", o.bundle_size),
    "bundle_sha256": (typeof o.bundle_sha256 === 'string' || o.bundle_sha256 === null) ? o.bundle_sha256 : refuse("LiveRevision.bundle_sha256", "string or null", o.bundle_sha256),
    "source_map_url": (typeof o.source_map_url === 'string' || o.source_map_url === null) ? o.source_map_url : refuse("LiveRevision.source_map_url", "string or null", o.source_map_url),
    "assets": list(o.assets, "LiveRevision.assets", pickLiveAsset),
    "duration_ms": (Number.isInteger(o.duration_ms) || o.duration_ms === null) ? o.duration_ms : refuse("LiveRevision.duration_ms", "integer or null", o.duration_ms),
    "error": o.error === null ? (null) : pickPreviewFailure(o.error),
    "created_at": typeof o.created_at === 'string' ? o.created_at : refuse("LiveRevision.created_at", "string", o.created_at),
  };
}
function pickLiveSession(o) {
  if (!isObject(o)) refuse("LiveSession", 'an object', o);
  return {
    "id": typeof o.id === 'string' ? o.id : refuse("LiveSession.id", "string", o.id),
    "project_id": typeof o.project_id === 'string' ? o.project_id : refuse("LiveSession.project_id", "string", o.project_id),
    "user_id": typeof o.user_id === 'string' ? o.user_id : refuse("LiveSession.user_id", "string", o.user_id),
    "job_id": typeof o.job_id === 'string' ? o.job_id : refuse("LiveSession.job_id", "string", o.job_id),
    "target_platform": typeof o.target_platform === 'string' ? o.target_platform : refuse("LiveSession.target_platform", "string", o.target_platform),
    "status": typeof o.status === 'string' ? o.status : refuse("LiveSession.status", "string", o.status),
    "revision": Number.isInteger(o.revision) ? o.revision : refuse("LiveSession.revision", "integer", o.revision),
    "idle_seconds": Number.isInteger(o.idle_seconds) ? o.idle_seconds : refuse("LiveSession.idle_seconds", "integer", o.idle_seconds),
    "created_at": typeof o.created_at === 'string' ? o.created_at : refuse("LiveSession.created_at", "string", o.created_at),
    "updated_at": typeof o.updated_at === 'string' ? o.updated_at : refuse("LiveSession.updated_at", "string", o.updated_at),
    "ended_at": (typeof o.ended_at === 'string' || o.ended_at === null) ? o.ended_at : refuse("LiveSession.ended_at", "string or null", o.ended_at),
  };
}
function pickLiveSessionCreated(o) {
  if (!isObject(o)) refuse("LiveSessionCreated", 'an object', o);
  return {
    "live_session": pickLiveSession(o.live_session),
    "token": typeof o.token === 'string' ? o.token : refuse("LiveSessionCreated.token", "string", o.token),
    "expires_in": Number.isInteger(o.expires_in) ? o.expires_in : refuse("LiveSessionCreated.expires_in", "integer", o.expires_in),
    "events_url": typeof o.events_url === 'string' ? o.events_url : refuse("LiveSessionCreated.events_url", "string", o.events_url),
    "view_url": typeof o.view_url === 'string' ? o.view_url : refuse("LiveSessionCreated.view_url", "string", o.view_url),
    "manifest_url": typeof o.manifest_url === 'string' ? o.manifest_url : refuse("LiveSessionCreated.manifest_url", "string", o.manifest_url),
    "deep_link": (typeof o.deep_link === 'string' || o.deep_link === null) ? o.deep_link : refuse("LiveSessionCreated.deep_link", "string or null", o.deep_link),
  };
}
function pickLiveSessionInput(o) {
  if (!isObject(o)) refuse("LiveSessionInput", 'an object', o);
  return {
    "kind": o.kind === "live_session" ? o.kind : refuse("LiveSessionInput.kind", "\"live_session\"", o.kind),
    "live_id": typeof o.live_id === 'string' ? o.live_id : refuse("LiveSessionInput.live_id", "string", o.live_id),
    "idle_seconds": Number.isInteger(o.idle_seconds) ? o.idle_seconds : refuse("LiveSessionInput.idle_seconds", "integer", o.idle_seconds),
    "preview": pickPreviewJobInput(o.preview),
    "assets": list(o.assets, "LiveSessionInput.assets", pickLiveKnownAsset),
  };
}
function pickLoginResult(o) {
  return !isObject(o) ? refuse("LoginResult", "an object with a known token_type", o) : o["token_type"] === "Bearer" ? (pickTokenPair(o)) : o["token_type"] === "Challenge" ? (pickMfaChallenge(o)) : refuse("LoginResult", "an object with a known token_type", o);
}
function pickMfaChallenge(o) {
  if (!isObject(o)) refuse("MfaChallenge", 'an object', o);
  return {
    "mfa_required": o.mfa_required === true ? o.mfa_required : refuse("MfaChallenge.mfa_required", "true", o.mfa_required),
    "token_type": o.token_type === "Challenge" ? o.token_type : refuse("MfaChallenge.token_type", "\"Challenge\"", o.token_type),
    "challenge_token": typeof o.challenge_token === 'string' ? o.challenge_token : refuse("MfaChallenge.challenge_token", "string", o.challenge_token),
    "expires_in": Number.isInteger(o.expires_in) ? o.expires_in : refuse("MfaChallenge.expires_in", "integer", o.expires_in),
    "methods": list(o.methods, "MfaChallenge.methods", (o) => typeof o === 'string' ? o : refuse("MfaChallenge.methods[]", "string", o)),
  };
}
function pickMissingBlob(o) {
  if (!isObject(o)) refuse("MissingBlob", 'an object', o);
  return {
    "sha256": typeof o.sha256 === 'string' ? o.sha256 : refuse("MissingBlob.sha256", "string", o.sha256),
    "upload_url": typeof o.upload_url === 'string' ? o.upload_url : refuse("MissingBlob.upload_url", "string", o.upload_url),
    "headers": pickHeaderMap(o.headers),
  };
}
function pickMissingBlobPage(o) {
  if (!isObject(o)) refuse("MissingBlobPage", 'an object', o);
  return {
    "items": list(o.items, "MissingBlobPage.items", pickMissingBlob),
    "page": pickPage(o.page),
  };
}
function pickNotification(o) {
  if (!isObject(o)) refuse("Notification", 'an object', o);
  return {
    "id": typeof o.id === 'string' ? o.id : refuse("Notification.id", "string", o.id),
    "user_id": typeof o.user_id === 'string' ? o.user_id : refuse("Notification.user_id", "string", o.user_id),
    "project_id": (typeof o.project_id === 'string' || o.project_id === null) ? o.project_id : refuse("Notification.project_id", "string or null", o.project_id),
    "type": typeof o.type === 'string' ? o.type : refuse("Notification.type", "string", o.type),
    "payload": pickNotificationPayload(o.payload),
    "is_read": typeof o.is_read === 'boolean' ? o.is_read : refuse("Notification.is_read", "boolean", o.is_read),
    "read_at": (typeof o.read_at === 'string' || o.read_at === null) ? o.read_at : refuse("Notification.read_at", "string or null", o.read_at),
    "created_at": typeof o.created_at === 'string' ? o.created_at : refuse("Notification.created_at", "string", o.created_at),
  };
}
function pickNotificationChannels(o) {
  if (!isObject(o)) refuse("NotificationChannels", 'an object', o);
  return {
    "in_app": typeof o.in_app === 'boolean' ? o.in_app : refuse("NotificationChannels.in_app", "boolean", o.in_app),
    "email": typeof o.email === 'boolean' ? o.email : refuse("NotificationChannels.email", "boolean", o.email),
  };
}
function pickNotificationChannelsMap(o) {
  return map(o, "NotificationChannelsMap", pickNotificationChannels);
}
function pickNotificationPage(o) {
  if (!isObject(o)) refuse("NotificationPage", 'an object', o);
  return {
    "items": list(o.items, "NotificationPage.items", pickNotification),
    "page": pickPage(o.page),
  };
}
function pickNotificationPayload(o) {
  return isObject(o) ? json(o, "NotificationPayload") : refuse("NotificationPayload", "object", o);
}
function pickNotificationsMarked(o) {
  if (!isObject(o)) refuse("NotificationsMarked", 'an object', o);
  return {
    "marked": Number.isInteger(o.marked) ? o.marked : refuse("NotificationsMarked.marked", "integer", o.marked),
  };
}
function pickPage(o) {
  if (!isObject(o)) refuse("Page", 'an object', o);
  return {
    "limit": Number.isInteger(o.limit) ? o.limit : refuse("Page.limit", "integer", o.limit),
    "offset": (Number.isInteger(o.offset) || o.offset === null) ? o.offset : refuse("Page.offset", "integer or null", o.offset),
    "total": (Number.isInteger(o.total) || o.total === null) ? o.total : refuse("Page.total", "integer or null", o.total),
    "next_cursor": (typeof o.next_cursor === 'string' || o.next_cursor === null) ? o.next_cursor : refuse("Page.next_cursor", "string or null", o.next_cursor),
  };
}
function pickPartHealth(o) {
  if (!isObject(o)) refuse("PartHealth", 'an object', o);
  return {
    "name": typeof o.name === 'string' ? o.name : refuse("PartHealth.name", "string", o.name),
    "status": typeof o.status === 'string' ? o.status : refuse("PartHealth.status", "string", o.status),
    "latency_ms": (Number.isFinite(o.latency_ms) || o.latency_ms === null) ? o.latency_ms : refuse("PartHealth.latency_ms", "number or null", o.latency_ms),
    "checked_at": typeof o.checked_at === 'string' ? o.checked_at : refuse("PartHealth.checked_at", "string", o.checked_at),
    "detail": (typeof o.detail === 'string' || o.detail === null) ? o.detail : refuse("PartHealth.detail", "string or null", o.detail),
  };
}
function pickPreferences(o) {
  if (!isObject(o)) refuse("Preferences", 'an object', o);
  return {
    "preferences": pickPreferencesMap(o.preferences),
    "notifications": pickNotificationChannelsMap(o.notifications),
    "updated_at": typeof o.updated_at === 'string' ? o.updated_at : refuse("Preferences.updated_at", "string", o.updated_at),
  };
}
function pickPreferencesMap(o) {
  return isObject(o) ? json(o, "PreferencesMap") : refuse("PreferencesMap", "object", o);
}
function pickPreviewArtifact(o) {
  if (!isObject(o)) refuse("PreviewArtifact", 'an object', o);
  return {
    "kind": typeof o.kind === 'string' ? o.kind : refuse("PreviewArtifact.kind", "string", o.kind),
    "path": typeof o.path === 'string' ? o.path : refuse("PreviewArtifact.path", "string", o.path),
    "size": Number.isInteger(o.size) ? o.size : refuse("PreviewArtifact.size", "integer", o.size),
    "sha256": typeof o.sha256 === 'string' ? o.sha256 : refuse("PreviewArtifact.sha256", "string", o.sha256),
    "encoding": typeof o.encoding === 'string' ? o.encoding : refuse("PreviewArtifact.encoding", "string", o.encoding),
    "url": typeof o.url === 'string' ? o.url : refuse("PreviewArtifact.url", "string", o.url),
  };
}
function pickPreviewArtifactPage(o) {
  if (!isObject(o)) refuse("PreviewArtifactPage", 'an object', o);
  return {
    "items": list(o.items, "PreviewArtifactPage.items", pickPreviewArtifact),
    "page": pickPage(o.page),
  };
}
function pickPreviewBuilt(o) {
  if (!isObject(o)) refuse("PreviewBuilt", 'an object', o);
  return {
    "url": typeof o.url === 'string' ? o.url : refuse("PreviewBuilt.url", "string", o.url),
    "token": typeof o.token === 'string' ? o.token : refuse("PreviewBuilt.token", "string", o.token),
    "expires_in": Number.isInteger(o.expires_in) ? o.expires_in : refuse("PreviewBuilt.expires_in", "integer", o.expires_in),
    "job_id": typeof o.job_id === 'string' ? o.job_id : refuse("PreviewBuilt.job_id", "string", o.job_id),
  };
}
function pickPreviewEnv(o) {
  return map(o, "PreviewEnv", (o) => typeof o === 'string' ? o : refuse("PreviewEnv.*", "string", o));
}
function pickPreviewFailure(o) {
  if (!isObject(o)) refuse("PreviewFailure", 'an object', o);
  return {
    "code": typeof o.code === 'string' ? o.code : refuse("PreviewFailure.code", "string", o.code),
    "kind": typeof o.kind === 'string' ? o.kind : refuse("PreviewFailure.kind", "string", o.kind),
    "message": typeof o.message === 'string' ? o.message : refuse("PreviewFailure.message", "string", o.message),
    "file": (typeof o.file === 'string' || o.file === null) ? o.file : refuse("PreviewFailure.file", "string or null", o.file),
    "line": (Number.isInteger(o.line) || o.line === null) ? o.line : refuse("PreviewFailure.line", "integer or null", o.line),
    "column": (Number.isInteger(o.column) || o.column === null) ? o.column : refuse("PreviewFailure.column", "integer or null", o.column),
    "code_frame": (typeof o.code_frame === 'string' || o.code_frame === null) ? o.code_frame : refuse("PreviewFailure.code_frame", "string or null", o.code_frame),
    "import_name": (typeof o.import_name === 'string' || o.import_name === null) ? o.import_name : refuse("PreviewFailure.import_name", "string or null", o.import_name),
  };
}
function pickPreviewJob(o) {
  if (!isObject(o)) refuse("PreviewJob", 'an object', o);
  return {
    "id": typeof o.id === 'string' ? o.id : refuse("PreviewJob.id", "string", o.id),
    "project_id": typeof o.project_id === 'string' ? o.project_id : refuse("PreviewJob.project_id", "string", o.project_id),
    "requested_by": typeof o.requested_by === 'string' ? o.requested_by : refuse("PreviewJob.requested_by", "string", o.requested_by),
    "tier": typeof o.tier === 'string' ? o.tier : refuse("PreviewJob.tier", "string", o.tier),
    "status": typeof o.status === 'string' ? o.status : refuse("PreviewJob.status", "string", o.status),
    "awaiting_upload": typeof o.awaiting_upload === 'boolean' ? o.awaiting_upload : refuse("PreviewJob.awaiting_upload", "boolean", o.awaiting_upload),
    "missing_count": Number.isInteger(o.missing_count) ? o.missing_count : refuse("PreviewJob.missing_count", "integer", o.missing_count),
    "stage": (typeof o.stage === 'string' || o.stage === null) ? o.stage : refuse("PreviewJob.stage", "string or null", o.stage),
    "progress": Number.isInteger(o.progress) ? o.progress : refuse("PreviewJob.progress", "integer", o.progress),
    "sdk_version": typeof o.sdk_version === 'string' ? o.sdk_version : refuse("PreviewJob.sdk_version", "string", o.sdk_version),
    "target_platform": typeof o.target_platform === 'string' ? o.target_platform : refuse("PreviewJob.target_platform", "string", o.target_platform),
    "device_type": (typeof o.device_type === 'string' || o.device_type === null) ? o.device_type : refuse("PreviewJob.device_type", "string or null", o.device_type),
    "entry_file": typeof o.entry_file === 'string' ? o.entry_file : refuse("PreviewJob.entry_file", "string", o.entry_file),
    "environment": typeof o.environment === 'string' ? o.environment : refuse("PreviewJob.environment", "string", o.environment),
    "dev": typeof o.dev === 'boolean' ? o.dev : refuse("PreviewJob.dev", "boolean", o.dev),
    "mirror_ref": (typeof o.mirror_ref === 'string' || o.mirror_ref === null) ? o.mirror_ref : refuse("PreviewJob.mirror_ref", "string or null", o.mirror_ref),
    "commit": (typeof o.commit === 'string' || o.commit === null) ? o.commit : refuse("PreviewJob.commit", "string or null", o.commit),
    "attempt": Number.isInteger(o.attempt) ? o.attempt : refuse("PreviewJob.attempt", "integer", o.attempt),
    "worker_id": (typeof o.worker_id === 'string' || o.worker_id === null) ? o.worker_id : refuse("PreviewJob.worker_id", "string or null", o.worker_id),
    "error": o.error === null ? (null) : pickPreviewFailure(o.error),
    "file_count": Number.isInteger(o.file_count) ? o.file_count : refuse("PreviewJob.file_count", "integer", o.file_count),
    "source_bytes": Number.isInteger(o.source_bytes) ? o.source_bytes : refuse("PreviewJob.source_bytes", "integer", o.source_bytes),
    "bundle_bytes": (Number.isInteger(o.bundle_bytes) || o.bundle_bytes === null) ? o.bundle_bytes : refuse("PreviewJob.bundle_bytes", "integer or null", o.bundle_bytes),
    "timings": pickPreviewTimings(o.timings),
    "queued_at": (typeof o.queued_at === 'string' || o.queued_at === null) ? o.queued_at : refuse("PreviewJob.queued_at", "string or null", o.queued_at),
    "started_at": (typeof o.started_at === 'string' || o.started_at === null) ? o.started_at : refuse("PreviewJob.started_at", "string or null", o.started_at),
    "completed_at": (typeof o.completed_at === 'string' || o.completed_at === null) ? o.completed_at : refuse("PreviewJob.completed_at", "string or null", o.completed_at),
    "artifacts_expire_at": (typeof o.artifacts_expire_at === 'string' || o.artifacts_expire_at === null) ? o.artifacts_expire_at : refuse("PreviewJob.artifacts_expire_at", "string or null", o.artifacts_expire_at),
    "created_at": typeof o.created_at === 'string' ? o.created_at : refuse("PreviewJob.created_at", "string", o.created_at),
    "updated_at": typeof o.updated_at === 'string' ? o.updated_at : refuse("PreviewJob.updated_at", "string", o.updated_at),
  };
}
function pickPreviewJobInput(o) {
  if (!isObject(o)) refuse("PreviewJobInput", 'an object', o);
  return {
    "kind": o.kind === "preview" ? o.kind : refuse("PreviewJobInput.kind", "\"preview\"", o.kind),
    "project_id": typeof o.project_id === 'string' ? o.project_id : refuse("PreviewJobInput.project_id", "string", o.project_id),
    "sdk_version": typeof o.sdk_version === 'string' ? o.sdk_version : refuse("PreviewJobInput.sdk_version", "string", o.sdk_version),
    "target_platform": typeof o.target_platform === 'string' ? o.target_platform : refuse("PreviewJobInput.target_platform", "string", o.target_platform),
    "entry_file": typeof o.entry_file === 'string' ? o.entry_file : refuse("PreviewJobInput.entry_file", "string", o.entry_file),
    "environment": typeof o.environment === 'string' ? o.environment : refuse("PreviewJobInput.environment", "string", o.environment),
    "env": pickPreviewEnv(o.env),
    "dev": typeof o.dev === 'boolean' ? o.dev : refuse("PreviewJobInput.dev", "boolean", o.dev),
    "sources": pickJobSources(o.sources),
    "limits": pickPreviewLimits(o.limits),
  };
}
function pickPreviewJobPage(o) {
  if (!isObject(o)) refuse("PreviewJobPage", 'an object', o);
  return {
    "items": list(o.items, "PreviewJobPage.items", pickPreviewJob),
    "page": pickPage(o.page),
  };
}
function pickPreviewLimits(o) {
  if (!isObject(o)) refuse("PreviewLimits", 'an object', o);
  return {
    "max_bundle_bytes": Number.isInteger(o.max_bundle_bytes) ? o.max_bundle_bytes : refuse("PreviewLimits.max_bundle_bytes", "integer", o.max_bundle_bytes),
    "max_artifact_bytes": Number.isInteger(o.max_artifact_bytes) ? o.max_artifact_bytes : refuse("PreviewLimits.max_artifact_bytes", "integer", o.max_artifact_bytes),
    "max_artifacts": Number.isInteger(o.max_artifacts) ? o.max_artifacts : refuse("PreviewLimits.max_artifacts", "integer", o.max_artifacts),
    "max_memory_bytes": Number.isInteger(o.max_memory_bytes) ? o.max_memory_bytes : refuse("PreviewLimits.max_memory_bytes", "integer", o.max_memory_bytes),
    "max_log_lines": Number.isInteger(o.max_log_lines) ? o.max_log_lines : refuse("PreviewLimits.max_log_lines", "integer", o.max_log_lines),
  };
}
function pickPreviewLogLine(o) {
  if (!isObject(o)) refuse("PreviewLogLine", 'an object', o);
  return {
    "seq": Number.isInteger(o.seq) ? o.seq : refuse("PreviewLogLine.seq", "integer", o.seq),
    "at": typeof o.at === 'string' ? o.at : refuse("PreviewLogLine.at", "string", o.at),
    "level": typeof o.level === 'string' ? o.level : refuse("PreviewLogLine.level", "string", o.level),
    "message": typeof o.message === 'string' ? o.message : refuse("PreviewLogLine.message", "string", o.message),
  };
}
function pickPreviewLogPage(o) {
  if (!isObject(o)) refuse("PreviewLogPage", 'an object', o);
  return {
    "items": list(o.items, "PreviewLogPage.items", pickPreviewLogLine),
    "page": pickPage(o.page),
  };
}
function pickPreviewRequested(o) {
  if (!isObject(o)) refuse("PreviewRequested", 'an object', o);
  return {
    "job": pickPreviewJob(o.job),
    "token": typeof o.token === 'string' ? o.token : refuse("PreviewRequested.token", "string", o.token),
    "expires_in": Number.isInteger(o.expires_in) ? o.expires_in : refuse("PreviewRequested.expires_in", "integer", o.expires_in),
    "missing": list(o.missing, "PreviewRequested.missing", pickMissingBlob),
    "pack": o.pack === null ? (null) : pickUploadTarget(o.pack),
  };
}
function pickPreviewSdk(o) {
  if (!isObject(o)) refuse("PreviewSdk", 'an object', o);
  return {
    "version": typeof o.version === 'string' ? o.version : refuse("PreviewSdk.version", "string", o.version),
    "react_native_version": typeof o.react_native_version === 'string' ? o.react_native_version : refuse("PreviewSdk.react_native_version", "string", o.react_native_version),
    "react_version": typeof o.react_version === 'string' ? o.react_version : refuse("PreviewSdk.react_version", "string", o.react_version),
    "runtime_version": typeof o.runtime_version === 'string' ? o.runtime_version : refuse("PreviewSdk.runtime_version", "string", o.runtime_version),
    "is_default": typeof o.is_default === 'boolean' ? o.is_default : refuse("PreviewSdk.is_default", "boolean", o.is_default),
    "status": typeof o.status === 'string' ? o.status : refuse("PreviewSdk.status", "string", o.status),
    "platforms": list(o.platforms, "PreviewSdk.platforms", (o) => typeof o === 'string' ? o : refuse("PreviewSdk.platforms[]", "string", o)),
    "packages": list(o.packages, "PreviewSdk.packages", pickPreviewSdkPackage),
  };
}
function pickPreviewSdkPackage(o) {
  if (!isObject(o)) refuse("PreviewSdkPackage", 'an object', o);
  return {
    "name": typeof o.name === 'string' ? o.name : refuse("PreviewSdkPackage.name", "string", o.name),
    "version": typeof o.version === 'string' ? o.version : refuse("PreviewSdkPackage.version", "string", o.version),
    "has_native_code": typeof o.has_native_code === 'boolean' ? o.has_native_code : refuse("PreviewSdkPackage.has_native_code", "boolean", o.has_native_code),
  };
}
function pickPreviewSdkPage(o) {
  if (!isObject(o)) refuse("PreviewSdkPage", 'an object', o);
  return {
    "items": list(o.items, "PreviewSdkPage.items", pickPreviewSdk),
    "page": pickPage(o.page),
  };
}
function pickPreviewSession(o) {
  if (!isObject(o)) refuse("PreviewSession", 'an object', o);
  return {
    "id": typeof o.id === 'string' ? o.id : refuse("PreviewSession.id", "string", o.id),
    "project_id": typeof o.project_id === 'string' ? o.project_id : refuse("PreviewSession.project_id", "string", o.project_id),
    "user_id": typeof o.user_id === 'string' ? o.user_id : refuse("PreviewSession.user_id", "string", o.user_id),
    "kind": typeof o.kind === 'string' ? o.kind : refuse("PreviewSession.kind", "string", o.kind),
    "status": typeof o.status === 'string' ? o.status : refuse("PreviewSession.status", "string", o.status),
    "target_platform": typeof o.target_platform === 'string' ? o.target_platform : refuse("PreviewSession.target_platform", "string", o.target_platform),
    "dev_server_url": (typeof o.dev_server_url === 'string' || o.dev_server_url === null) ? o.dev_server_url : refuse("PreviewSession.dev_server_url", "string or null", o.dev_server_url),
    "bundle_url": (typeof o.bundle_url === 'string' || o.bundle_url === null) ? o.bundle_url : refuse("PreviewSession.bundle_url", "string or null", o.bundle_url),
    "bundle_size": (Number.isInteger(o.bundle_size) || o.bundle_size === null) ? o.bundle_size : refuse("PreviewSession.bundle_size", "integer or null", o.bundle_size),
    "bundle_sha256": (typeof o.bundle_sha256 === 'string' || o.bundle_sha256 === null) ? o.bundle_sha256 : refuse("PreviewSession.bundle_sha256", "string or null", o.bundle_sha256),
    "created_at": typeof o.created_at === 'string' ? o.created_at : refuse("PreviewSession.created_at", "string", o.created_at),
    "expires_at": typeof o.expires_at === 'string' ? o.expires_at : refuse("PreviewSession.expires_at", "string", o.expires_at),
  };
}
function pickPreviewSessionCreated(o) {
  if (!isObject(o)) refuse("PreviewSessionCreated", 'an object', o);
  return {
    "session": pickPreviewSession(o.session),
    "token": typeof o.token === 'string' ? o.token : refuse("PreviewSessionCreated.token", "string", o.token),
    "upload_token": (typeof o.upload_token === 'string' || o.upload_token === null) ? o.upload_token : refuse("PreviewSessionCreated.upload_token", "string or null", o.upload_token),
    "expires_in": Number.isInteger(o.expires_in) ? o.expires_in : refuse("PreviewSessionCreated.expires_in", "integer", o.expires_in),
  };
}
function pickPreviewShare(o) {
  if (!isObject(o)) refuse("PreviewShare", 'an object', o);
  return {
    "id": typeof o.id === 'string' ? o.id : refuse("PreviewShare.id", "string", o.id),
    "job_id": typeof o.job_id === 'string' ? o.job_id : refuse("PreviewShare.job_id", "string", o.job_id),
    "project_id": typeof o.project_id === 'string' ? o.project_id : refuse("PreviewShare.project_id", "string", o.project_id),
    "shared_by": typeof o.shared_by === 'string' ? o.shared_by : refuse("PreviewShare.shared_by", "string", o.shared_by),
    "user": pickUserSummary(o.user),
    "note": (typeof o.note === 'string' || o.note === null) ? o.note : refuse("PreviewShare.note", "string or null", o.note),
    "last_viewed_at": (typeof o.last_viewed_at === 'string' || o.last_viewed_at === null) ? o.last_viewed_at : refuse("PreviewShare.last_viewed_at", "string or null", o.last_viewed_at),
    "created_at": typeof o.created_at === 'string' ? o.created_at : refuse("PreviewShare.created_at", "string", o.created_at),
    "expires_at": typeof o.expires_at === 'string' ? o.expires_at : refuse("PreviewShare.expires_at", "string", o.expires_at),
  };
}
function pickPreviewSharePage(o) {
  if (!isObject(o)) refuse("PreviewSharePage", 'an object', o);
  return {
    "items": list(o.items, "PreviewSharePage.items", pickPreviewShare),
    "page": pickPage(o.page),
  };
}
function pickPreviewStats(o) {
  if (!isObject(o)) refuse("PreviewStats", 'an object', o);
  return {
    "from": typeof o.from === 'string' ? o.from : refuse("PreviewStats.from", "string", o.from),
    "to": typeof o.to === 'string' ? o.to : refuse("PreviewStats.to", "string", o.to),
    "interval": typeof o.interval === 'string' ? o.interval : refuse("PreviewStats.interval", "string", o.interval),
    "total": pickJobCounts(o.total),
    "series": list(o.series, "PreviewStats.series", pickJobCountsAt),
    "by_tier": list(o.by_tier, "PreviewStats.by_tier", pickJobCountsOfTier),
    "by_platform": list(o.by_platform, "PreviewStats.by_platform", pickPreviewStats_by_platform_item),
    "failures": list(o.failures, "PreviewStats.failures", pickFailureCount),
  };
}
function pickPreviewStats_by_platform_item(o) {
  if (!isObject(o)) refuse("PreviewStats.by_platform[]", 'an object', o);
  return {
    "target_platform": typeof o.target_platform === 'string' ? o.target_platform : refuse("PreviewStats.by_platform[].target_platform", "string", o.target_platform),
    "counts": pickJobCounts(o.counts),
  };
}
function pickPreviewTimings(o) {
  if (!isObject(o)) refuse("PreviewTimings", 'an object', o);
  return {
    "queued_ms": (Number.isInteger(o.queued_ms) || o.queued_ms === null) ? o.queued_ms : refuse("PreviewTimings.queued_ms", "integer or null", o.queued_ms),
    "fetching_ms": (Number.isInteger(o.fetching_ms) || o.fetching_ms === null) ? o.fetching_ms : refuse("PreviewTimings.fetching_ms", "integer or null", o.fetching_ms),
    "bundling_ms": (Number.isInteger(o.bundling_ms) || o.bundling_ms === null) ? o.bundling_ms : refuse("PreviewTimings.bundling_ms", "integer or null", o.bundling_ms),
    "packaging_ms": (Number.isInteger(o.packaging_ms) || o.packaging_ms === null) ? o.packaging_ms : refuse("PreviewTimings.packaging_ms", "integer or null", o.packaging_ms),
    "uploading_ms": (Number.isInteger(o.uploading_ms) || o.uploading_ms === null) ? o.uploading_ms : refuse("PreviewTimings.uploading_ms", "integer or null", o.uploading_ms),
    "total_ms": (Number.isInteger(o.total_ms) || o.total_ms === null) ? o.total_ms : refuse("PreviewTimings.total_ms", "integer or null", o.total_ms),
  };
}
function pickPreviewToken(o) {
  if (!isObject(o)) refuse("PreviewToken", 'an object', o);
  return {
    "token": typeof o.token === 'string' ? o.token : refuse("PreviewToken.token", "string", o.token),
    "expires_in": Number.isInteger(o.expires_in) ? o.expires_in : refuse("PreviewToken.expires_in", "integer", o.expires_in),
    "view_url": typeof o.view_url === 'string' ? o.view_url : refuse("PreviewToken.view_url", "string", o.view_url),
    "manifest_url": typeof o.manifest_url === 'string' ? o.manifest_url : refuse("PreviewToken.manifest_url", "string", o.manifest_url),
    "deep_link": (typeof o.deep_link === 'string' || o.deep_link === null) ? o.deep_link : refuse("PreviewToken.deep_link", "string or null", o.deep_link),
  };
}
function pickProject(o) {
  if (!isObject(o)) refuse("Project", 'an object', o);
  return {
    "id": typeof o.id === 'string' ? o.id : refuse("Project.id", "string", o.id),
    "owner_id": typeof o.owner_id === 'string' ? o.owner_id : refuse("Project.owner_id", "string", o.owner_id),
    "team_id": (typeof o.team_id === 'string' || o.team_id === null) ? o.team_id : refuse("Project.team_id", "string or null", o.team_id),
    "name": typeof o.name === 'string' ? o.name : refuse("Project.name", "string", o.name),
    "description": (typeof o.description === 'string' || o.description === null) ? o.description : refuse("Project.description", "string or null", o.description),
    "metadata": pickProjectMetadata(o.metadata),
    "is_favorite": typeof o.is_favorite === 'boolean' ? o.is_favorite : refuse("Project.is_favorite", "boolean", o.is_favorite),
    "role": typeof o.role === 'string' ? o.role : refuse("Project.role", "string", o.role),
    "tags": list(o.tags, "Project.tags", pickProjectTag),
    "archived_at": (typeof o.archived_at === 'string' || o.archived_at === null) ? o.archived_at : refuse("Project.archived_at", "string or null", o.archived_at),
    "created_at": typeof o.created_at === 'string' ? o.created_at : refuse("Project.created_at", "string", o.created_at),
    "updated_at": typeof o.updated_at === 'string' ? o.updated_at : refuse("Project.updated_at", "string", o.updated_at),
  };
}
function pickProjectActivity(o) {
  if (!isObject(o)) refuse("ProjectActivity", 'an object', o);
  return {
    "id": typeof o.id === 'string' ? o.id : refuse("ProjectActivity.id", "string", o.id),
    "project_id": typeof o.project_id === 'string' ? o.project_id : refuse("ProjectActivity.project_id", "string", o.project_id),
    "user_id": (typeof o.user_id === 'string' || o.user_id === null) ? o.user_id : refuse("ProjectActivity.user_id", "string or null", o.user_id),
    "username": (typeof o.username === 'string' || o.username === null) ? o.username : refuse("ProjectActivity.username", "string or null", o.username),
    "event_type": typeof o.event_type === 'string' ? o.event_type : refuse("ProjectActivity.event_type", "string", o.event_type),
    "entity_type": typeof o.entity_type === 'string' ? o.entity_type : refuse("ProjectActivity.entity_type", "string", o.entity_type),
    "entity_id": (typeof o.entity_id === 'string' || o.entity_id === null) ? o.entity_id : refuse("ProjectActivity.entity_id", "string or null", o.entity_id),
    "data": pickActivityData(o.data),
    "created_at": typeof o.created_at === 'string' ? o.created_at : refuse("ProjectActivity.created_at", "string", o.created_at),
  };
}
function pickProjectActivityPage(o) {
  if (!isObject(o)) refuse("ProjectActivityPage", 'an object', o);
  return {
    "items": list(o.items, "ProjectActivityPage.items", pickProjectActivity),
    "page": pickPage(o.page),
  };
}
function pickProjectMember(o) {
  if (!isObject(o)) refuse("ProjectMember", 'an object', o);
  return {
    "project_id": typeof o.project_id === 'string' ? o.project_id : refuse("ProjectMember.project_id", "string", o.project_id),
    "user_id": typeof o.user_id === 'string' ? o.user_id : refuse("ProjectMember.user_id", "string", o.user_id),
    "username": typeof o.username === 'string' ? o.username : refuse("ProjectMember.username", "string", o.username),
    "display_name": (typeof o.display_name === 'string' || o.display_name === null) ? o.display_name : refuse("ProjectMember.display_name", "string or null", o.display_name),
    "avatar_url": (typeof o.avatar_url === 'string' || o.avatar_url === null) ? o.avatar_url : refuse("ProjectMember.avatar_url", "string or null", o.avatar_url),
    "role": typeof o.role === 'string' ? o.role : refuse("ProjectMember.role", "string", o.role),
    "source": typeof o.source === 'string' ? o.source : refuse("ProjectMember.source", "string", o.source),
    "status": typeof o.status === 'string' ? o.status : refuse("ProjectMember.status", "string", o.status),
    "invitation_id": (typeof o.invitation_id === 'string' || o.invitation_id === null) ? o.invitation_id : refuse("ProjectMember.invitation_id", "string or null", o.invitation_id),
    "joined_at": (typeof o.joined_at === 'string' || o.joined_at === null) ? o.joined_at : refuse("ProjectMember.joined_at", "string or null", o.joined_at),
    "created_at": typeof o.created_at === 'string' ? o.created_at : refuse("ProjectMember.created_at", "string", o.created_at),
  };
}
function pickProjectMemberPage(o) {
  if (!isObject(o)) refuse("ProjectMemberPage", 'an object', o);
  return {
    "items": list(o.items, "ProjectMemberPage.items", pickProjectMember),
    "page": pickPage(o.page),
  };
}
function pickProjectMetadata(o) {
  return isObject(o) ? json(o, "ProjectMetadata") : refuse("ProjectMetadata", "object", o);
}
function pickProjectPage(o) {
  if (!isObject(o)) refuse("ProjectPage", 'an object', o);
  return {
    "items": list(o.items, "ProjectPage.items", pickProject),
    "page": pickPage(o.page),
  };
}
function pickProjectSettings(o) {
  if (!isObject(o)) refuse("ProjectSettings", 'an object', o);
  return {
    "preview": pickProjectSettings_preview(o.preview),
    "ai": pickProjectSettings_ai(o.ai),
    "notifications": pickProjectSettings_notifications(o.notifications),
  };
}
function pickProjectSettings_ai(o) {
  if (!isObject(o)) refuse("ProjectSettings.ai", 'an object', o);
  return {
    "enabled": typeof o.enabled === 'boolean' ? o.enabled : refuse("ProjectSettings.ai.enabled", "boolean", o.enabled),
    "style": typeof o.style === 'string' ? o.style : refuse("ProjectSettings.ai.style", "string", o.style),
  };
}
function pickProjectSettings_notifications(o) {
  if (!isObject(o)) refuse("ProjectSettings.notifications", 'an object', o);
  return {
    "preview_ready": typeof o.preview_ready === 'boolean' ? o.preview_ready : refuse("ProjectSettings.notifications.preview_ready", "boolean", o.preview_ready),
    "preview_failed": typeof o.preview_failed === 'boolean' ? o.preview_failed : refuse("ProjectSettings.notifications.preview_failed", "boolean", o.preview_failed),
  };
}
function pickProjectSettings_preview(o) {
  if (!isObject(o)) refuse("ProjectSettings.preview", 'an object', o);
  return {
    "sdk_version": (typeof o.sdk_version === 'string' || o.sdk_version === null) ? o.sdk_version : refuse("ProjectSettings.preview.sdk_version", "string or null", o.sdk_version),
    "target_platform": typeof o.target_platform === 'string' ? o.target_platform : refuse("ProjectSettings.preview.target_platform", "string", o.target_platform),
    "entry_file": typeof o.entry_file === 'string' ? o.entry_file : refuse("ProjectSettings.preview.entry_file", "string", o.entry_file),
    "environment": typeof o.environment === 'string' ? o.environment : refuse("ProjectSettings.preview.environment", "string", o.environment),
    "dev": typeof o.dev === 'boolean' ? o.dev : refuse("ProjectSettings.preview.dev", "boolean", o.dev),
  };
}
function pickProjectTag(o) {
  if (!isObject(o)) refuse("ProjectTag", 'an object', o);
  return {
    "id": typeof o.id === 'string' ? o.id : refuse("ProjectTag.id", "string", o.id),
    "name": typeof o.name === 'string' ? o.name : refuse("ProjectTag.name", "string", o.name),
    "color": typeof o.color === 'string' ? o.color : refuse("ProjectTag.color", "string", o.color),
  };
}
function pickProjectTagPage(o) {
  if (!isObject(o)) refuse("ProjectTagPage", 'an object', o);
  return {
    "items": list(o.items, "ProjectTagPage.items", pickProjectTag),
    "page": pickPage(o.page),
  };
}
function pickProjectTemplate(o) {
  if (!isObject(o)) refuse("ProjectTemplate", 'an object', o);
  return {
    "id": typeof o.id === 'string' ? o.id : refuse("ProjectTemplate.id", "string", o.id),
    "name": typeof o.name === 'string' ? o.name : refuse("ProjectTemplate.name", "string", o.name),
    "description": (typeof o.description === 'string' || o.description === null) ? o.description : refuse("ProjectTemplate.description", "string or null", o.description),
    "framework": typeof o.framework === 'string' ? o.framework : refuse("ProjectTemplate.framework", "string", o.framework),
    "settings": pickProjectSettings(o.settings),
    "labels": list(o.labels, "ProjectTemplate.labels", pickTemplateLabel),
    "tasks": list(o.tasks, "ProjectTemplate.tasks", pickTemplateTask),
    "created_at": typeof o.created_at === 'string' ? o.created_at : refuse("ProjectTemplate.created_at", "string", o.created_at),
    "updated_at": typeof o.updated_at === 'string' ? o.updated_at : refuse("ProjectTemplate.updated_at", "string", o.updated_at),
  };
}
function pickProjectTemplatePage(o) {
  if (!isObject(o)) refuse("ProjectTemplatePage", 'an object', o);
  return {
    "items": list(o.items, "ProjectTemplatePage.items", pickProjectTemplate),
    "page": pickPage(o.page),
  };
}
function pickProjectTransfer(o) {
  if (!isObject(o)) refuse("ProjectTransfer", 'an object', o);
  return {
    "status": typeof o.status === 'string' ? o.status : refuse("ProjectTransfer.status", "string", o.status),
    "project_id": typeof o.project_id === 'string' ? o.project_id : refuse("ProjectTransfer.project_id", "string", o.project_id),
    "user_id": (typeof o.user_id === 'string' || o.user_id === null) ? o.user_id : refuse("ProjectTransfer.user_id", "string or null", o.user_id),
    "team_id": (typeof o.team_id === 'string' || o.team_id === null) ? o.team_id : refuse("ProjectTransfer.team_id", "string or null", o.team_id),
    "invitation_id": (typeof o.invitation_id === 'string' || o.invitation_id === null) ? o.invitation_id : refuse("ProjectTransfer.invitation_id", "string or null", o.invitation_id),
    "expires_at": (typeof o.expires_at === 'string' || o.expires_at === null) ? o.expires_at : refuse("ProjectTransfer.expires_at", "string or null", o.expires_at),
  };
}
function pickQueueDepth(o) {
  if (!isObject(o)) refuse("QueueDepth", 'an object', o);
  return {
    "name": typeof o.name === 'string' ? o.name : refuse("QueueDepth.name", "string", o.name),
    "class": typeof o.class === 'string' ? o.class : refuse("QueueDepth.class", "string", o.class),
    "priority": (typeof o.priority === 'string' || o.priority === null) ? o.priority : refuse("QueueDepth.priority", "string or null", o.priority),
    "waiting": Number.isInteger(o.waiting) ? o.waiting : refuse("QueueDepth.waiting", "integer", o.waiting),
    "delayed": Number.isInteger(o.delayed) ? o.delayed : refuse("QueueDepth.delayed", "integer", o.delayed),
    "running": Number.isInteger(o.running) ? o.running : refuse("QueueDepth.running", "integer", o.running),
    "oldest_waiting_seconds": (Number.isFinite(o.oldest_waiting_seconds) || o.oldest_waiting_seconds === null) ? o.oldest_waiting_seconds : refuse("QueueDepth.oldest_waiting_seconds", "number or null", o.oldest_waiting_seconds),
    "wait_p50_ms": (Number.isInteger(o.wait_p50_ms) || o.wait_p50_ms === null) ? o.wait_p50_ms : refuse("QueueDepth.wait_p50_ms", "integer or null", o.wait_p50_ms),
    "wait_p95_ms": (Number.isInteger(o.wait_p95_ms) || o.wait_p95_ms === null) ? o.wait_p95_ms : refuse("QueueDepth.wait_p95_ms", "integer or null", o.wait_p95_ms),
    "run_p50_ms": (Number.isInteger(o.run_p50_ms) || o.run_p50_ms === null) ? o.run_p50_ms : refuse("QueueDepth.run_p50_ms", "integer or null", o.run_p50_ms),
    "run_p95_ms": (Number.isInteger(o.run_p95_ms) || o.run_p95_ms === null) ? o.run_p95_ms : refuse("QueueDepth.run_p95_ms", "integer or null", o.run_p95_ms),
    "succeeded_1h": Number.isInteger(o.succeeded_1h) ? o.succeeded_1h : refuse("QueueDepth.succeeded_1h", "integer", o.succeeded_1h),
    "failed_1h": Number.isInteger(o.failed_1h) ? o.failed_1h : refuse("QueueDepth.failed_1h", "integer", o.failed_1h),
  };
}
function pickQueueStats(o) {
  if (!isObject(o)) refuse("QueueStats", 'an object', o);
  return {
    "taken_at": typeof o.taken_at === 'string' ? o.taken_at : refuse("QueueStats.taken_at", "string", o.taken_at),
    "queues": list(o.queues, "QueueStats.queues", pickQueueDepth),
    "tiers": list(o.tiers, "QueueStats.tiers", pickTierQueueDepth),
    "outbox_pending": Number.isInteger(o.outbox_pending) ? o.outbox_pending : refuse("QueueStats.outbox_pending", "integer", o.outbox_pending),
    "dead_jobs": Number.isInteger(o.dead_jobs) ? o.dead_jobs : refuse("QueueStats.dead_jobs", "integer", o.dead_jobs),
  };
}
function pickRecoveryCodes(o) {
  if (!isObject(o)) refuse("RecoveryCodes", 'an object', o);
  return {
    "recovery_codes": list(o.recovery_codes, "RecoveryCodes.recovery_codes", (o) => typeof o === 'string' ? o : refuse("RecoveryCodes.recovery_codes[]", "string", o)),
  };
}
function pickRefactorJobInput(o) {
  if (!isObject(o)) refuse("RefactorJobInput", 'an object', o);
  return {
    "kind": o.kind === "refactor" ? o.kind : refuse("RefactorJobInput.kind", "\"refactor\"", o.kind),
    "project_id": typeof o.project_id === 'string' ? o.project_id : refuse("RefactorJobInput.project_id", "string", o.project_id),
    "manifest_version": Number.isInteger(o.manifest_version) ? o.manifest_version : refuse("RefactorJobInput.manifest_version", "integer", o.manifest_version),
    "commit": typeof o.commit === 'string' ? o.commit : refuse("RefactorJobInput.commit", "string", o.commit),
    "operation": pickRefactorOperation(o.operation),
    "sources": pickJobSources(o.sources),
    "limits": pickRefactorJobInput_limits(o.limits),
  };
}
function pickRefactorJobInput_limits(o) {
  if (!isObject(o)) refuse("RefactorJobInput.limits", 'an object', o);
  return {
    "max_files": Number.isInteger(o.max_files) ? o.max_files : refuse("RefactorJobInput.limits.max_files", "integer", o.max_files),
    "max_diff_bytes": Number.isInteger(o.max_diff_bytes) ? o.max_diff_bytes : refuse("RefactorJobInput.limits.max_diff_bytes", "integer", o.max_diff_bytes),
  };
}
function pickRefactorOperation(o) {
  return !isObject(o) ? refuse("RefactorOperation", "an object with a known kind", o) : o["kind"] === "rename_symbol" ? (pickRenameSymbol(o)) : o["kind"] === "rename_file" ? (pickRenameFile(o)) : refuse("RefactorOperation", "an object with a known kind", o);
}
function pickRenameFile(o) {
  if (!isObject(o)) refuse("RenameFile", 'an object', o);
  return {
    "kind": o.kind === "rename_file" ? o.kind : refuse("RenameFile.kind", "\"rename_file\"", o.kind),
    "file": typeof o.file === 'string' ? o.file : refuse("RenameFile.file", "string", o.file),
    "new_path": typeof o.new_path === 'string' ? o.new_path : refuse("RenameFile.new_path", "string", o.new_path),
  };
}
function pickRenameSymbol(o) {
  if (!isObject(o)) refuse("RenameSymbol", 'an object', o);
  return {
    "kind": o.kind === "rename_symbol" ? o.kind : refuse("RenameSymbol.kind", "\"rename_symbol\"", o.kind),
    "file": typeof o.file === 'string' ? o.file : refuse("RenameSymbol.file", "string", o.file),
    "line": Number.isInteger(o.line) ? o.line : refuse("RenameSymbol.line", "integer", o.line),
    "column": Number.isInteger(o.column) ? o.column : refuse("RenameSymbol.column", "integer", o.column),
    "new_name": typeof o.new_name === 'string' ? o.new_name : refuse("RenameSymbol.new_name", "string", o.new_name),
  };
}
function pickRepoSshCredential(o) {
  if (!isObject(o)) refuse("RepoSshCredential", 'an object', o);
  return {
    "type": o.type === "ssh_key" ? o.type : refuse("RepoSshCredential.type", "\"ssh_key\"", o.type),
    "private_key": typeof o.private_key === 'string' ? o.private_key : refuse("RepoSshCredential.private_key", "string", o.private_key),
    "known_host": typeof o.known_host === 'string' ? o.known_host : refuse("RepoSshCredential.known_host", "string", o.known_host),
  };
}
function pickRepoSyncInput(o) {
  if (!isObject(o)) refuse("RepoSyncInput", 'an object', o);
  return {
    "kind": o.kind === "repo_sync" ? o.kind : refuse("RepoSyncInput.kind", "\"repo_sync\"", o.kind),
    "project_id": typeof o.project_id === 'string' ? o.project_id : refuse("RepoSyncInput.project_id", "string", o.project_id),
    "remote_url": typeof o.remote_url === 'string' ? o.remote_url : refuse("RepoSyncInput.remote_url", "string", o.remote_url),
    "ref": (typeof o.ref === 'string' || o.ref === null) ? o.ref : refuse("RepoSyncInput.ref", "string or null", o.ref),
    "default_branch": (typeof o.default_branch === 'string' || o.default_branch === null) ? o.default_branch : refuse("RepoSyncInput.default_branch", "string or null", o.default_branch),
    "credential": o.credential === null ? (null) : !isObject(o.credential) ? refuse("RepoSyncInput.credential", "an object with a known type", o.credential) : o.credential["type"] === "token" ? (pickRepoTokenCredential(o.credential)) : o.credential["type"] === "ssh_key" ? (pickRepoSshCredential(o.credential)) : refuse("RepoSyncInput.credential", "an object with a known type", o.credential),
    "previous": o.previous === null ? (null) : pickRepoSyncInput_previous(o.previous),
    "limits": pickRepoSyncInput_limits(o.limits),
  };
}
function pickRepoSyncInput_limits(o) {
  if (!isObject(o)) refuse("RepoSyncInput.limits", 'an object', o);
  return {
    "max_mirror_bytes": Number.isInteger(o.max_mirror_bytes) ? o.max_mirror_bytes : refuse("RepoSyncInput.limits.max_mirror_bytes", "integer", o.max_mirror_bytes),
    "max_file_bytes": Number.isInteger(o.max_file_bytes) ? o.max_file_bytes : refuse("RepoSyncInput.limits.max_file_bytes", "integer", o.max_file_bytes),
    "max_files": Number.isInteger(o.max_files) ? o.max_files : refuse("RepoSyncInput.limits.max_files", "integer", o.max_files),
  };
}
function pickRepoSyncInput_previous(o) {
  if (!isObject(o)) refuse("RepoSyncInput.previous", 'an object', o);
  return {
    "commit": typeof o.commit === 'string' ? o.commit : refuse("RepoSyncInput.previous.commit", "string", o.commit),
    "manifest_url": typeof o.manifest_url === 'string' ? o.manifest_url : refuse("RepoSyncInput.previous.manifest_url", "string", o.manifest_url),
    "git_bundle_url": (typeof o.git_bundle_url === 'string' || o.git_bundle_url === null) ? o.git_bundle_url : refuse("RepoSyncInput.previous.git_bundle_url", "string or null", o.git_bundle_url),
  };
}
function pickRepoTokenCredential(o) {
  if (!isObject(o)) refuse("RepoTokenCredential", 'an object', o);
  return {
    "type": o.type === "token" ? o.type : refuse("RepoTokenCredential.type", "\"token\"", o.type),
    "username": o.username === undefined ? undefined : typeof o.username === 'string' ? o.username : refuse("RepoTokenCredential.username", "string", o.username),
    "token": typeof o.token === 'string' ? o.token : refuse("RepoTokenCredential.token", "string", o.token),
  };
}
function pickScalingEvent(o) {
  if (!isObject(o)) refuse("ScalingEvent", 'an object', o);
  return {
    "id": typeof o.id === 'string' ? o.id : refuse("ScalingEvent.id", "string", o.id),
    "type": typeof o.type === 'string' ? o.type : refuse("ScalingEvent.type", "string", o.type),
    "action": typeof o.action === 'string' ? o.action : refuse("ScalingEvent.action", "string", o.action),
    "from": Number.isInteger(o.from) ? o.from : refuse("ScalingEvent.from", "integer", o.from),
    "to": Number.isInteger(o.to) ? o.to : refuse("ScalingEvent.to", "integer", o.to),
    "reason": typeof o.reason === 'string' ? o.reason : refuse("ScalingEvent.reason", "string", o.reason),
    "driver": typeof o.driver === 'string' ? o.driver : refuse("ScalingEvent.driver", "string", o.driver),
    "outcome": typeof o.outcome === 'string' ? o.outcome : refuse("ScalingEvent.outcome", "string", o.outcome),
    "error": (typeof o.error === 'string' || o.error === null) ? o.error : refuse("ScalingEvent.error", "string or null", o.error),
    "created_at": typeof o.created_at === 'string' ? o.created_at : refuse("ScalingEvent.created_at", "string", o.created_at),
  };
}
function pickScalingEventPage(o) {
  if (!isObject(o)) refuse("ScalingEventPage", 'an object', o);
  return {
    "items": list(o.items, "ScalingEventPage.items", pickScalingEvent),
    "page": pickPage(o.page),
  };
}
function pickScalingRule(o) {
  if (!isObject(o)) refuse("ScalingRule", 'an object', o);
  return {
    "type": typeof o.type === 'string' ? o.type : refuse("ScalingRule.type", "string", o.type),
    "enabled": typeof o.enabled === 'boolean' ? o.enabled : refuse("ScalingRule.enabled", "boolean", o.enabled),
    "min": Number.isInteger(o.min) ? o.min : refuse("ScalingRule.min", "integer", o.min),
    "max": Number.isInteger(o.max) ? o.max : refuse("ScalingRule.max", "integer", o.max),
    "scale_up_queue_length": Number.isInteger(o.scale_up_queue_length) ? o.scale_up_queue_length : refuse("ScalingRule.scale_up_queue_length", "integer", o.scale_up_queue_length),
    "target_wait_seconds": Number.isInteger(o.target_wait_seconds) ? o.target_wait_seconds : refuse("ScalingRule.target_wait_seconds", "integer", o.target_wait_seconds),
    "idle_seconds": Number.isInteger(o.idle_seconds) ? o.idle_seconds : refuse("ScalingRule.idle_seconds", "integer", o.idle_seconds),
    "cooldown_seconds": Number.isInteger(o.cooldown_seconds) ? o.cooldown_seconds : refuse("ScalingRule.cooldown_seconds", "integer", o.cooldown_seconds),
    "updated_by": (typeof o.updated_by === 'string' || o.updated_by === null) ? o.updated_by : refuse("ScalingRule.updated_by", "string or null", o.updated_by),
    "updated_at": typeof o.updated_at === 'string' ? o.updated_at : refuse("ScalingRule.updated_at", "string", o.updated_at),
  };
}
function pickScalingState(o) {
  if (!isObject(o)) refuse("ScalingState", 'an object', o);
  return {
    "driver": typeof o.driver === 'string' ? o.driver : refuse("ScalingState.driver", "string", o.driver),
    "rules": list(o.rules, "ScalingState.rules", pickScalingRule),
  };
}
function pickSearchCommentTarget(o) {
  if (!isObject(o)) refuse("SearchCommentTarget", 'an object', o);
  return {
    "entity_type": typeof o.entity_type === 'string' ? o.entity_type : refuse("SearchCommentTarget.entity_type", "string", o.entity_type),
    "entity_id": typeof o.entity_id === 'string' ? o.entity_id : refuse("SearchCommentTarget.entity_id", "string", o.entity_id),
  };
}
function pickSearchHighlight(o) {
  if (!isObject(o)) refuse("SearchHighlight", 'an object', o);
  return {
    "field": typeof o.field === 'string' ? o.field : refuse("SearchHighlight.field", "string", o.field),
    "start": Number.isInteger(o.start) ? o.start : refuse("SearchHighlight.start", "integer", o.start),
    "end": Number.isInteger(o.end) ? o.end : refuse("SearchHighlight.end", "integer", o.end),
  };
}
function pickSearchResult(o) {
  if (!isObject(o)) refuse("SearchResult", 'an object', o);
  return {
    "type": typeof o.type === 'string' ? o.type : refuse("SearchResult.type", "string", o.type),
    "id": typeof o.id === 'string' ? o.id : refuse("SearchResult.id", "string", o.id),
    "project_id": typeof o.project_id === 'string' ? o.project_id : refuse("SearchResult.project_id", "string", o.project_id),
    "project_name": typeof o.project_name === 'string' ? o.project_name : refuse("SearchResult.project_name", "string", o.project_name),
    "title": typeof o.title === 'string' ? o.title : refuse("SearchResult.title", "string", o.title),
    "excerpt": (typeof o.excerpt === 'string' || o.excerpt === null) ? o.excerpt : refuse("SearchResult.excerpt", "string or null", o.excerpt),
    "highlights": list(o.highlights, "SearchResult.highlights", pickSearchHighlight),
    "commented_on": o.commented_on === null ? (null) : pickSearchCommentTarget(o.commented_on),
    "score": Number.isFinite(o.score) ? o.score : refuse("SearchResult.score", "number", o.score),
    "updated_at": typeof o.updated_at === 'string' ? o.updated_at : refuse("SearchResult.updated_at", "string", o.updated_at),
  };
}
function pickSearchResultPage(o) {
  if (!isObject(o)) refuse("SearchResultPage", 'an object', o);
  return {
    "items": list(o.items, "SearchResultPage.items", pickSearchResult),
    "page": pickPage(o.page),
  };
}
function pickSession(o) {
  if (!isObject(o)) refuse("Session", 'an object', o);
  return {
    "id": typeof o.id === 'string' ? o.id : refuse("Session.id", "string", o.id),
    "device_session_id": (typeof o.device_session_id === 'string' || o.device_session_id === null) ? o.device_session_id : refuse("Session.device_session_id", "string or null", o.device_session_id),
    "device_name": (typeof o.device_name === 'string' || o.device_name === null) ? o.device_name : refuse("Session.device_name", "string or null", o.device_name),
    "platform": (typeof o.platform === 'string' || o.platform === null) ? o.platform : refuse("Session.platform", "string or null", o.platform),
    "ip_address": typeof o.ip_address === 'string' ? o.ip_address : refuse("Session.ip_address", "string", o.ip_address),
    "user_agent": (typeof o.user_agent === 'string' || o.user_agent === null) ? o.user_agent : refuse("Session.user_agent", "string or null", o.user_agent),
    "suspicious": typeof o.suspicious === 'boolean' ? o.suspicious : refuse("Session.suspicious", "boolean", o.suspicious),
    "current": typeof o.current === 'boolean' ? o.current : refuse("Session.current", "boolean", o.current),
    "created_at": typeof o.created_at === 'string' ? o.created_at : refuse("Session.created_at", "string", o.created_at),
    "last_seen": typeof o.last_seen === 'string' ? o.last_seen : refuse("Session.last_seen", "string", o.last_seen),
    "expires_at": typeof o.expires_at === 'string' ? o.expires_at : refuse("Session.expires_at", "string", o.expires_at),
  };
}
function pickSessionPage(o) {
  if (!isObject(o)) refuse("SessionPage", 'an object', o);
  return {
    "items": list(o.items, "SessionPage.items", pickSession),
    "page": pickPage(o.page),
  };
}
function pickSessionToken(o) {
  if (!isObject(o)) refuse("SessionToken", 'an object', o);
  return {
    "token": typeof o.token === 'string' ? o.token : refuse("SessionToken.token", "string", o.token),
    "expires_in": Number.isInteger(o.expires_in) ? o.expires_in : refuse("SessionToken.expires_in", "integer", o.expires_in),
  };
}
function pickTask(o) {
  if (!isObject(o)) refuse("Task", 'an object', o);
  return {
    "id": typeof o.id === 'string' ? o.id : refuse("Task.id", "string", o.id),
    "project_id": typeof o.project_id === 'string' ? o.project_id : refuse("Task.project_id", "string", o.project_id),
    "title": typeof o.title === 'string' ? o.title : refuse("Task.title", "string", o.title),
    "description": (typeof o.description === 'string' || o.description === null) ? o.description : refuse("Task.description", "string or null", o.description),
    "status": typeof o.status === 'string' ? o.status : refuse("Task.status", "string", o.status),
    "assignee_id": (typeof o.assignee_id === 'string' || o.assignee_id === null) ? o.assignee_id : refuse("Task.assignee_id", "string or null", o.assignee_id),
    "due_date": (typeof o.due_date === 'string' || o.due_date === null) ? o.due_date : refuse("Task.due_date", "string or null", o.due_date),
    "labels": list(o.labels, "Task.labels", pickTaskLabelSummary),
    "is_blocked": typeof o.is_blocked === 'boolean' ? o.is_blocked : refuse("Task.is_blocked", "boolean", o.is_blocked),
    "created_by": typeof o.created_by === 'string' ? o.created_by : refuse("Task.created_by", "string", o.created_by),
    "completed_at": (typeof o.completed_at === 'string' || o.completed_at === null) ? o.completed_at : refuse("Task.completed_at", "string or null", o.completed_at),
    "created_at": typeof o.created_at === 'string' ? o.created_at : refuse("Task.created_at", "string", o.created_at),
    "updated_at": typeof o.updated_at === 'string' ? o.updated_at : refuse("Task.updated_at", "string", o.updated_at),
  };
}
function pickTaskAttachment(o) {
  if (!isObject(o)) refuse("TaskAttachment", 'an object', o);
  return {
    "id": typeof o.id === 'string' ? o.id : refuse("TaskAttachment.id", "string", o.id),
    "task_id": typeof o.task_id === 'string' ? o.task_id : refuse("TaskAttachment.task_id", "string", o.task_id),
    "kind": typeof o.kind === 'string' ? o.kind : refuse("TaskAttachment.kind", "string", o.kind),
    "status": typeof o.status === 'string' ? o.status : refuse("TaskAttachment.status", "string", o.status),
    "name": typeof o.name === 'string' ? o.name : refuse("TaskAttachment.name", "string", o.name),
    "external_url": (typeof o.external_url === 'string' || o.external_url === null) ? o.external_url : refuse("TaskAttachment.external_url", "string or null", o.external_url),
    "content_type": (typeof o.content_type === 'string' || o.content_type === null) ? o.content_type : refuse("TaskAttachment.content_type", "string or null", o.content_type),
    "size": (Number.isInteger(o.size) || o.size === null) ? o.size : refuse("TaskAttachment.size", "integer or null", o.size),
    "sha256": (typeof o.sha256 === 'string' || o.sha256 === null) ? o.sha256 : refuse("TaskAttachment.sha256", "string or null", o.sha256),
    "uploaded_by": typeof o.uploaded_by === 'string' ? o.uploaded_by : refuse("TaskAttachment.uploaded_by", "string", o.uploaded_by),
    "uploaded_at": (typeof o.uploaded_at === 'string' || o.uploaded_at === null) ? o.uploaded_at : refuse("TaskAttachment.uploaded_at", "string or null", o.uploaded_at),
    "created_at": typeof o.created_at === 'string' ? o.created_at : refuse("TaskAttachment.created_at", "string", o.created_at),
  };
}
function pickTaskAttachmentCreated(o) {
  if (!isObject(o)) refuse("TaskAttachmentCreated", 'an object', o);
  return {
    "id": typeof o.id === 'string' ? o.id : refuse("TaskAttachmentCreated.id", "string", o.id),
    "task_id": typeof o.task_id === 'string' ? o.task_id : refuse("TaskAttachmentCreated.task_id", "string", o.task_id),
    "kind": typeof o.kind === 'string' ? o.kind : refuse("TaskAttachmentCreated.kind", "string", o.kind),
    "status": typeof o.status === 'string' ? o.status : refuse("TaskAttachmentCreated.status", "string", o.status),
    "name": typeof o.name === 'string' ? o.name : refuse("TaskAttachmentCreated.name", "string", o.name),
    "external_url": (typeof o.external_url === 'string' || o.external_url === null) ? o.external_url : refuse("TaskAttachmentCreated.external_url", "string or null", o.external_url),
    "content_type": (typeof o.content_type === 'string' || o.content_type === null) ? o.content_type : refuse("TaskAttachmentCreated.content_type", "string or null", o.content_type),
    "size": (Number.isInteger(o.size) || o.size === null) ? o.size : refuse("TaskAttachmentCreated.size", "integer or null", o.size),
    "sha256": (typeof o.sha256 === 'string' || o.sha256 === null) ? o.sha256 : refuse("TaskAttachmentCreated.sha256", "string or null", o.sha256),
    "uploaded_by": typeof o.uploaded_by === 'string' ? o.uploaded_by : refuse("TaskAttachmentCreated.uploaded_by", "string", o.uploaded_by),
    "uploaded_at": (typeof o.uploaded_at === 'string' || o.uploaded_at === null) ? o.uploaded_at : refuse("TaskAttachmentCreated.uploaded_at", "string or null", o.uploaded_at),
    "created_at": typeof o.created_at === 'string' ? o.created_at : refuse("TaskAttachmentCreated.created_at", "string", o.created_at),
    "upload": o.upload === null ? (null) : pickUploadTarget(o.upload),
  };
}
function pickTaskAttachmentPage(o) {
  if (!isObject(o)) refuse("TaskAttachmentPage", 'an object', o);
  return {
    "items": list(o.items, "TaskAttachmentPage.items", pickTaskAttachment),
    "page": pickPage(o.page),
  };
}
function pickTaskDependency(o) {
  if (!isObject(o)) refuse("TaskDependency", 'an object', o);
  return {
    "task_id": typeof o.task_id === 'string' ? o.task_id : refuse("TaskDependency.task_id", "string", o.task_id),
    "depends_on_task_id": typeof o.depends_on_task_id === 'string' ? o.depends_on_task_id : refuse("TaskDependency.depends_on_task_id", "string", o.depends_on_task_id),
    "title": typeof o.title === 'string' ? o.title : refuse("TaskDependency.title", "string", o.title),
    "status": typeof o.status === 'string' ? o.status : refuse("TaskDependency.status", "string", o.status),
    "created_at": typeof o.created_at === 'string' ? o.created_at : refuse("TaskDependency.created_at", "string", o.created_at),
  };
}
function pickTaskDependencyPage(o) {
  if (!isObject(o)) refuse("TaskDependencyPage", 'an object', o);
  return {
    "items": list(o.items, "TaskDependencyPage.items", pickTaskDependency),
    "page": pickPage(o.page),
  };
}
function pickTaskLabel(o) {
  if (!isObject(o)) refuse("TaskLabel", 'an object', o);
  return {
    "id": typeof o.id === 'string' ? o.id : refuse("TaskLabel.id", "string", o.id),
    "project_id": typeof o.project_id === 'string' ? o.project_id : refuse("TaskLabel.project_id", "string", o.project_id),
    "name": typeof o.name === 'string' ? o.name : refuse("TaskLabel.name", "string", o.name),
    "color": typeof o.color === 'string' ? o.color : refuse("TaskLabel.color", "string", o.color),
    "created_at": typeof o.created_at === 'string' ? o.created_at : refuse("TaskLabel.created_at", "string", o.created_at),
    "updated_at": typeof o.updated_at === 'string' ? o.updated_at : refuse("TaskLabel.updated_at", "string", o.updated_at),
  };
}
function pickTaskLabelPage(o) {
  if (!isObject(o)) refuse("TaskLabelPage", 'an object', o);
  return {
    "items": list(o.items, "TaskLabelPage.items", pickTaskLabel),
    "page": pickPage(o.page),
  };
}
function pickTaskLabelSummary(o) {
  if (!isObject(o)) refuse("TaskLabelSummary", 'an object', o);
  return {
    "id": typeof o.id === 'string' ? o.id : refuse("TaskLabelSummary.id", "string", o.id),
    "name": typeof o.name === 'string' ? o.name : refuse("TaskLabelSummary.name", "string", o.name),
    "color": typeof o.color === 'string' ? o.color : refuse("TaskLabelSummary.color", "string", o.color),
  };
}
function pickTaskPage(o) {
  if (!isObject(o)) refuse("TaskPage", 'an object', o);
  return {
    "items": list(o.items, "TaskPage.items", pickTask),
    "page": pickPage(o.page),
  };
}
function pickTeam(o) {
  if (!isObject(o)) refuse("Team", 'an object', o);
  return {
    "id": typeof o.id === 'string' ? o.id : refuse("Team.id", "string", o.id),
    "owner_id": typeof o.owner_id === 'string' ? o.owner_id : refuse("Team.owner_id", "string", o.owner_id),
    "name": typeof o.name === 'string' ? o.name : refuse("Team.name", "string", o.name),
    "role": typeof o.role === 'string' ? o.role : refuse("Team.role", "string", o.role),
    "member_count": Number.isInteger(o.member_count) ? o.member_count : refuse("Team.member_count", "integer", o.member_count),
    "project_count": Number.isInteger(o.project_count) ? o.project_count : refuse("Team.project_count", "integer", o.project_count),
    "created_at": typeof o.created_at === 'string' ? o.created_at : refuse("Team.created_at", "string", o.created_at),
    "updated_at": typeof o.updated_at === 'string' ? o.updated_at : refuse("Team.updated_at", "string", o.updated_at),
  };
}
function pickTeamMember(o) {
  if (!isObject(o)) refuse("TeamMember", 'an object', o);
  return {
    "team_id": typeof o.team_id === 'string' ? o.team_id : refuse("TeamMember.team_id", "string", o.team_id),
    "user_id": typeof o.user_id === 'string' ? o.user_id : refuse("TeamMember.user_id", "string", o.user_id),
    "username": typeof o.username === 'string' ? o.username : refuse("TeamMember.username", "string", o.username),
    "display_name": (typeof o.display_name === 'string' || o.display_name === null) ? o.display_name : refuse("TeamMember.display_name", "string or null", o.display_name),
    "avatar_url": (typeof o.avatar_url === 'string' || o.avatar_url === null) ? o.avatar_url : refuse("TeamMember.avatar_url", "string or null", o.avatar_url),
    "role": typeof o.role === 'string' ? o.role : refuse("TeamMember.role", "string", o.role),
    "status": typeof o.status === 'string' ? o.status : refuse("TeamMember.status", "string", o.status),
    "invitation_id": (typeof o.invitation_id === 'string' || o.invitation_id === null) ? o.invitation_id : refuse("TeamMember.invitation_id", "string or null", o.invitation_id),
    "joined_at": (typeof o.joined_at === 'string' || o.joined_at === null) ? o.joined_at : refuse("TeamMember.joined_at", "string or null", o.joined_at),
    "created_at": typeof o.created_at === 'string' ? o.created_at : refuse("TeamMember.created_at", "string", o.created_at),
    "updated_at": typeof o.updated_at === 'string' ? o.updated_at : refuse("TeamMember.updated_at", "string", o.updated_at),
  };
}
function pickTeamMemberPage(o) {
  if (!isObject(o)) refuse("TeamMemberPage", 'an object', o);
  return {
    "items": list(o.items, "TeamMemberPage.items", pickTeamMember),
    "page": pickPage(o.page),
  };
}
function pickTeamPage(o) {
  if (!isObject(o)) refuse("TeamPage", 'an object', o);
  return {
    "items": list(o.items, "TeamPage.items", pickTeam),
    "page": pickPage(o.page),
  };
}
function pickTemplateLabel(o) {
  if (!isObject(o)) refuse("TemplateLabel", 'an object', o);
  return {
    "name": typeof o.name === 'string' ? o.name : refuse("TemplateLabel.name", "string", o.name),
    "color": typeof o.color === 'string' ? o.color : refuse("TemplateLabel.color", "string", o.color),
  };
}
function pickTemplateTask(o) {
  if (!isObject(o)) refuse("TemplateTask", 'an object', o);
  return {
    "title": typeof o.title === 'string' ? o.title : refuse("TemplateTask.title", "string", o.title),
    "description": (typeof o.description === 'string' || o.description === null) ? o.description : refuse("TemplateTask.description", "string or null", o.description),
    "labels": list(o.labels, "TemplateTask.labels", (o) => typeof o === 'string' ? o : refuse("TemplateTask.labels[]", "string", o)),
  };
}
function pickTierLimitSet(o) {
  if (!isObject(o)) refuse("TierLimitSet", 'an object', o);
  return {
    "tier": typeof o.tier === 'string' ? o.tier : refuse("TierLimitSet.tier", "string", o.tier),
    "limits": pickTierLimits(o.limits),
    "updated_at": typeof o.updated_at === 'string' ? o.updated_at : refuse("TierLimitSet.updated_at", "string", o.updated_at),
    "updated_by": (typeof o.updated_by === 'string' || o.updated_by === null) ? o.updated_by : refuse("TierLimitSet.updated_by", "string or null", o.updated_by),
  };
}
function pickTierLimitSetPage(o) {
  if (!isObject(o)) refuse("TierLimitSetPage", 'an object', o);
  return {
    "items": list(o.items, "TierLimitSetPage.items", pickTierLimitSet),
    "page": pickPage(o.page),
  };
}
function pickTierLimits(o) {
  if (!isObject(o)) refuse("TierLimits", 'an object', o);
  return {
    "api_requests_per_minute": (Number.isInteger(o.api_requests_per_minute) || o.api_requests_per_minute === null) ? o.api_requests_per_minute : refuse("TierLimits.api_requests_per_minute", "integer or null", o.api_requests_per_minute),
    "preview_jobs_per_minute": (Number.isInteger(o.preview_jobs_per_minute) || o.preview_jobs_per_minute === null) ? o.preview_jobs_per_minute : refuse("TierLimits.preview_jobs_per_minute", "integer or null", o.preview_jobs_per_minute),
    "preview_jobs_per_day": (Number.isInteger(o.preview_jobs_per_day) || o.preview_jobs_per_day === null) ? o.preview_jobs_per_day : refuse("TierLimits.preview_jobs_per_day", "integer or null", o.preview_jobs_per_day),
    "preview_jobs_at_once": (Number.isInteger(o.preview_jobs_at_once) || o.preview_jobs_at_once === null) ? o.preview_jobs_at_once : refuse("TierLimits.preview_jobs_at_once", "integer or null", o.preview_jobs_at_once),
    "preview_source_files": (Number.isInteger(o.preview_source_files) || o.preview_source_files === null) ? o.preview_source_files : refuse("TierLimits.preview_source_files", "integer or null", o.preview_source_files),
    "preview_source_bytes": (Number.isInteger(o.preview_source_bytes) || o.preview_source_bytes === null) ? o.preview_source_bytes : refuse("TierLimits.preview_source_bytes", "integer or null", o.preview_source_bytes),
    "preview_build_minutes": (Number.isInteger(o.preview_build_minutes) || o.preview_build_minutes === null) ? o.preview_build_minutes : refuse("TierLimits.preview_build_minutes", "integer or null", o.preview_build_minutes),
    "live_sessions_at_once": (Number.isInteger(o.live_sessions_at_once) || o.live_sessions_at_once === null) ? o.live_sessions_at_once : refuse("TierLimits.live_sessions_at_once", "integer or null", o.live_sessions_at_once),
    "queue_class": typeof o.queue_class === 'string' ? o.queue_class : refuse("TierLimits.queue_class", "string", o.queue_class),
    "queue_priority": typeof o.queue_priority === 'string' ? o.queue_priority : refuse("TierLimits.queue_priority", "string", o.queue_priority),
    "ai_jobs_per_minute": (Number.isInteger(o.ai_jobs_per_minute) || o.ai_jobs_per_minute === null) ? o.ai_jobs_per_minute : refuse("TierLimits.ai_jobs_per_minute", "integer or null", o.ai_jobs_per_minute),
    "ai_jobs_per_day": (Number.isInteger(o.ai_jobs_per_day) || o.ai_jobs_per_day === null) ? o.ai_jobs_per_day : refuse("TierLimits.ai_jobs_per_day", "integer or null", o.ai_jobs_per_day),
    "ai_lines_per_job": (Number.isInteger(o.ai_lines_per_job) || o.ai_lines_per_job === null) ? o.ai_lines_per_job : refuse("TierLimits.ai_lines_per_job", "integer or null", o.ai_lines_per_job),
    "ai_input_tokens_per_job": (Number.isInteger(o.ai_input_tokens_per_job) || o.ai_input_tokens_per_job === null) ? o.ai_input_tokens_per_job : refuse("TierLimits.ai_input_tokens_per_job", "integer or null", o.ai_input_tokens_per_job),
    "refactor_files": (Number.isInteger(o.refactor_files) || o.refactor_files === null) ? o.refactor_files : refuse("TierLimits.refactor_files", "integer or null", o.refactor_files),
    "repo_syncs_per_hour": (Number.isInteger(o.repo_syncs_per_hour) || o.repo_syncs_per_hour === null) ? o.repo_syncs_per_hour : refuse("TierLimits.repo_syncs_per_hour", "integer or null", o.repo_syncs_per_hour),
    "repo_mirror_bytes": (Number.isInteger(o.repo_mirror_bytes) || o.repo_mirror_bytes === null) ? o.repo_mirror_bytes : refuse("TierLimits.repo_mirror_bytes", "integer or null", o.repo_mirror_bytes),
    "projects": (Number.isInteger(o.projects) || o.projects === null) ? o.projects : refuse("TierLimits.projects", "integer or null", o.projects),
    "team_members": (Number.isInteger(o.team_members) || o.team_members === null) ? o.team_members : refuse("TierLimits.team_members", "integer or null", o.team_members),
    "webhooks_per_project": (Number.isInteger(o.webhooks_per_project) || o.webhooks_per_project === null) ? o.webhooks_per_project : refuse("TierLimits.webhooks_per_project", "integer or null", o.webhooks_per_project),
    "api_keys": (Number.isInteger(o.api_keys) || o.api_keys === null) ? o.api_keys : refuse("TierLimits.api_keys", "integer or null", o.api_keys),
    "notifications_per_day": (Number.isInteger(o.notifications_per_day) || o.notifications_per_day === null) ? o.notifications_per_day : refuse("TierLimits.notifications_per_day", "integer or null", o.notifications_per_day),
    "streams_at_once": (Number.isInteger(o.streams_at_once) || o.streams_at_once === null) ? o.streams_at_once : refuse("TierLimits.streams_at_once", "integer or null", o.streams_at_once),
    "artifact_retention_days": (Number.isInteger(o.artifact_retention_days) || o.artifact_retention_days === null) ? o.artifact_retention_days : refuse("TierLimits.artifact_retention_days", "integer or null", o.artifact_retention_days),
    "notification_retention_days": (Number.isInteger(o.notification_retention_days) || o.notification_retention_days === null) ? o.notification_retention_days : refuse("TierLimits.notification_retention_days", "integer or null", o.notification_retention_days),
  };
}
function pickTierOffer(o) {
  if (!isObject(o)) refuse("TierOffer", 'an object', o);
  return {
    "tier": typeof o.tier === 'string' ? o.tier : refuse("TierOffer.tier", "string", o.tier),
    "name": typeof o.name === 'string' ? o.name : refuse("TierOffer.name", "string", o.name),
    "description": typeof o.description === 'string' ? o.description : refuse("TierOffer.description", "string", o.description),
    "limits": pickTierLimits(o.limits),
  };
}
function pickTierOfferPage(o) {
  if (!isObject(o)) refuse("TierOfferPage", 'an object', o);
  return {
    "items": list(o.items, "TierOfferPage.items", pickTierOffer),
    "page": pickPage(o.page),
  };
}
function pickTierQueueDepth(o) {
  if (!isObject(o)) refuse("TierQueueDepth", 'an object', o);
  return {
    "tier": typeof o.tier === 'string' ? o.tier : refuse("TierQueueDepth.tier", "string", o.tier),
    "waiting": Number.isInteger(o.waiting) ? o.waiting : refuse("TierQueueDepth.waiting", "integer", o.waiting),
    "running": Number.isInteger(o.running) ? o.running : refuse("TierQueueDepth.running", "integer", o.running),
    "oldest_waiting_seconds": (Number.isFinite(o.oldest_waiting_seconds) || o.oldest_waiting_seconds === null) ? o.oldest_waiting_seconds : refuse("TierQueueDepth.oldest_waiting_seconds", "number or null", o.oldest_waiting_seconds),
    "wait_p50_ms": (Number.isInteger(o.wait_p50_ms) || o.wait_p50_ms === null) ? o.wait_p50_ms : refuse("TierQueueDepth.wait_p50_ms", "integer or null", o.wait_p50_ms),
    "wait_p95_ms": (Number.isInteger(o.wait_p95_ms) || o.wait_p95_ms === null) ? o.wait_p95_ms : refuse("TierQueueDepth.wait_p95_ms", "integer or null", o.wait_p95_ms),
    "run_p50_ms": (Number.isInteger(o.run_p50_ms) || o.run_p50_ms === null) ? o.run_p50_ms : refuse("TierQueueDepth.run_p50_ms", "integer or null", o.run_p50_ms),
    "run_p95_ms": (Number.isInteger(o.run_p95_ms) || o.run_p95_ms === null) ? o.run_p95_ms : refuse("TierQueueDepth.run_p95_ms", "integer or null", o.run_p95_ms),
    "succeeded_1h": Number.isInteger(o.succeeded_1h) ? o.succeeded_1h : refuse("TierQueueDepth.succeeded_1h", "integer", o.succeeded_1h),
    "failed_1h": Number.isInteger(o.failed_1h) ? o.failed_1h : refuse("TierQueueDepth.failed_1h", "integer", o.failed_1h),
  };
}
function pickTokenPair(o) {
  if (!isObject(o)) refuse("TokenPair", 'an object', o);
  return {
    "user": pickUser(o.user),
    "access_token": typeof o.access_token === 'string' ? o.access_token : refuse("TokenPair.access_token", "string", o.access_token),
    "refresh_token": typeof o.refresh_token === 'string' ? o.refresh_token : refuse("TokenPair.refresh_token", "string", o.refresh_token),
    "token_type": o.token_type === "Bearer" ? o.token_type : refuse("TokenPair.token_type", "\"Bearer\"", o.token_type),
    "expires_in": Number.isInteger(o.expires_in) ? o.expires_in : refuse("TokenPair.expires_in", "integer", o.expires_in),
    "session_id": typeof o.session_id === 'string' ? o.session_id : refuse("TokenPair.session_id", "string", o.session_id),
  };
}
function pickTotpEnrollment(o) {
  if (!isObject(o)) refuse("TotpEnrollment", 'an object', o);
  return {
    "secret": typeof o.secret === 'string' ? o.secret : refuse("TotpEnrollment.secret", "string", o.secret),
    "otpauth_url": typeof o.otpauth_url === 'string' ? o.otpauth_url : refuse("TotpEnrollment.otpauth_url", "string", o.otpauth_url),
    "expires_in": Number.isInteger(o.expires_in) ? o.expires_in : refuse("TotpEnrollment.expires_in", "integer", o.expires_in),
  };
}
function pickUnreadCount(o) {
  if (!isObject(o)) refuse("UnreadCount", 'an object', o);
  return {
    "unread": Number.isInteger(o.unread) ? o.unread : refuse("UnreadCount.unread", "integer", o.unread),
    "is_exact": typeof o.is_exact === 'boolean' ? o.is_exact : refuse("UnreadCount.is_exact", "boolean", o.is_exact),
  };
}
function pickUploadTarget(o) {
  if (!isObject(o)) refuse("UploadTarget", 'an object', o);
  return {
    "upload_url": typeof o.upload_url === 'string' ? o.upload_url : refuse("UploadTarget.upload_url", "string", o.upload_url),
    "headers": pickHeaderMap(o.headers),
  };
}
function pickUsage(o) {
  if (!isObject(o)) refuse("Usage", 'an object', o);
  return {
    "tier": typeof o.tier === 'string' ? o.tier : refuse("Usage.tier", "string", o.tier),
    "as_of": typeof o.as_of === 'string' ? o.as_of : refuse("Usage.as_of", "string", o.as_of),
    "items": list(o.items, "Usage.items", pickUsageItem),
  };
}
function pickUsageItem(o) {
  if (!isObject(o)) refuse("UsageItem", 'an object', o);
  return {
    "name": typeof o.name === 'string' ? o.name : refuse("UsageItem.name", "string", o.name),
    "scope": typeof o.scope === 'string' ? o.scope : refuse("UsageItem.scope", "string", o.scope),
    "limit": (Number.isInteger(o.limit) || o.limit === null) ? o.limit : refuse("UsageItem.limit", "integer or null", o.limit),
    "used": (Number.isInteger(o.used) || o.used === null) ? o.used : refuse("UsageItem.used", "integer or null", o.used),
    "resets_at": (typeof o.resets_at === 'string' || o.resets_at === null) ? o.resets_at : refuse("UsageItem.resets_at", "string or null", o.resets_at),
  };
}
function pickUser(o) {
  if (!isObject(o)) refuse("User", 'an object', o);
  return {
    "id": typeof o.id === 'string' ? o.id : refuse("User.id", "string", o.id),
    "email": typeof o.email === 'string' ? o.email : refuse("User.email", "string", o.email),
    "username": typeof o.username === 'string' ? o.username : refuse("User.username", "string", o.username),
    "display_name": (typeof o.display_name === 'string' || o.display_name === null) ? o.display_name : refuse("User.display_name", "string or null", o.display_name),
    "avatar_url": (typeof o.avatar_url === 'string' || o.avatar_url === null) ? o.avatar_url : refuse("User.avatar_url", "string or null", o.avatar_url),
    "tier": typeof o.tier === 'string' ? o.tier : refuse("User.tier", "string", o.tier),
    "email_verified_at": (typeof o.email_verified_at === 'string' || o.email_verified_at === null) ? o.email_verified_at : refuse("User.email_verified_at", "string or null", o.email_verified_at),
    "pending_email": (typeof o.pending_email === 'string' || o.pending_email === null) ? o.pending_email : refuse("User.pending_email", "string or null", o.pending_email),
    "mfa_enabled": typeof o.mfa_enabled === 'boolean' ? o.mfa_enabled : refuse("User.mfa_enabled", "boolean", o.mfa_enabled),
    "searchable": typeof o.searchable === 'boolean' ? o.searchable : refuse("User.searchable", "boolean", o.searchable),
    "last_login": (typeof o.last_login === 'string' || o.last_login === null) ? o.last_login : refuse("User.last_login", "string or null", o.last_login),
    "created_at": typeof o.created_at === 'string' ? o.created_at : refuse("User.created_at", "string", o.created_at),
    "updated_at": typeof o.updated_at === 'string' ? o.updated_at : refuse("User.updated_at", "string", o.updated_at),
  };
}
function pickUserSummary(o) {
  if (!isObject(o)) refuse("UserSummary", 'an object', o);
  return {
    "id": typeof o.id === 'string' ? o.id : refuse("UserSummary.id", "string", o.id),
    "username": typeof o.username === 'string' ? o.username : refuse("UserSummary.username", "string", o.username),
    "display_name": (typeof o.display_name === 'string' || o.display_name === null) ? o.display_name : refuse("UserSummary.display_name", "string or null", o.display_name),
    "avatar_url": (typeof o.avatar_url === 'string' || o.avatar_url === null) ? o.avatar_url : refuse("UserSummary.avatar_url", "string or null", o.avatar_url),
  };
}
function pickUserSummaryPage(o) {
  if (!isObject(o)) refuse("UserSummaryPage", 'an object', o);
  return {
    "items": list(o.items, "UserSummaryPage.items", pickUserSummary),
    "page": pickPage(o.page),
  };
}
function pickWebhook(o) {
  if (!isObject(o)) refuse("Webhook", 'an object', o);
  return {
    "id": typeof o.id === 'string' ? o.id : refuse("Webhook.id", "string", o.id),
    "project_id": typeof o.project_id === 'string' ? o.project_id : refuse("Webhook.project_id", "string", o.project_id),
    "url": typeof o.url === 'string' ? o.url : refuse("Webhook.url", "string", o.url),
    "event_types": list(o.event_types, "Webhook.event_types", (o) => typeof o === 'string' ? o : refuse("Webhook.event_types[]", "string", o)),
    "is_active": typeof o.is_active === 'boolean' ? o.is_active : refuse("Webhook.is_active", "boolean", o.is_active),
    "disabled_reason": (typeof o.disabled_reason === 'string' || o.disabled_reason === null) ? o.disabled_reason : refuse("Webhook.disabled_reason", "string or null", o.disabled_reason),
    "disabled_at": (typeof o.disabled_at === 'string' || o.disabled_at === null) ? o.disabled_at : refuse("Webhook.disabled_at", "string or null", o.disabled_at),
    "failing_since": (typeof o.failing_since === 'string' || o.failing_since === null) ? o.failing_since : refuse("Webhook.failing_since", "string or null", o.failing_since),
    "created_by": typeof o.created_by === 'string' ? o.created_by : refuse("Webhook.created_by", "string", o.created_by),
    "created_at": typeof o.created_at === 'string' ? o.created_at : refuse("Webhook.created_at", "string", o.created_at),
    "updated_at": typeof o.updated_at === 'string' ? o.updated_at : refuse("Webhook.updated_at", "string", o.updated_at),
  };
}
function pickWebhookAttempt(o) {
  if (!isObject(o)) refuse("WebhookAttempt", 'an object', o);
  return {
    "attempted_at": typeof o.attempted_at === 'string' ? o.attempted_at : refuse("WebhookAttempt.attempted_at", "string", o.attempted_at),
    "duration_ms": Number.isInteger(o.duration_ms) ? o.duration_ms : refuse("WebhookAttempt.duration_ms", "integer", o.duration_ms),
    "response_status": (Number.isInteger(o.response_status) || o.response_status === null) ? o.response_status : refuse("WebhookAttempt.response_status", "integer or null", o.response_status),
    "response_body": (typeof o.response_body === 'string' || o.response_body === null) ? o.response_body : refuse("WebhookAttempt.response_body", "string or null", o.response_body),
    "failure": (typeof o.failure === 'string' || o.failure === null) ? o.failure : refuse("WebhookAttempt.failure", "string or null", o.failure),
  };
}
function pickWebhookDelivery(o) {
  if (!isObject(o)) refuse("WebhookDelivery", 'an object', o);
  return {
    "id": typeof o.id === 'string' ? o.id : refuse("WebhookDelivery.id", "string", o.id),
    "webhook_id": typeof o.webhook_id === 'string' ? o.webhook_id : refuse("WebhookDelivery.webhook_id", "string", o.webhook_id),
    "event_id": typeof o.event_id === 'string' ? o.event_id : refuse("WebhookDelivery.event_id", "string", o.event_id),
    "event_type": typeof o.event_type === 'string' ? o.event_type : refuse("WebhookDelivery.event_type", "string", o.event_type),
    "trigger": typeof o.trigger === 'string' ? o.trigger : refuse("WebhookDelivery.trigger", "string", o.trigger),
    "status": typeof o.status === 'string' ? o.status : refuse("WebhookDelivery.status", "string", o.status),
    "attempt_count": Number.isInteger(o.attempt_count) ? o.attempt_count : refuse("WebhookDelivery.attempt_count", "integer", o.attempt_count),
    "next_attempt_at": (typeof o.next_attempt_at === 'string' || o.next_attempt_at === null) ? o.next_attempt_at : refuse("WebhookDelivery.next_attempt_at", "string or null", o.next_attempt_at),
    "response_status": (Number.isInteger(o.response_status) || o.response_status === null) ? o.response_status : refuse("WebhookDelivery.response_status", "integer or null", o.response_status),
    "created_at": typeof o.created_at === 'string' ? o.created_at : refuse("WebhookDelivery.created_at", "string", o.created_at),
    "completed_at": (typeof o.completed_at === 'string' || o.completed_at === null) ? o.completed_at : refuse("WebhookDelivery.completed_at", "string or null", o.completed_at),
  };
}
function pickWebhookDeliveryDetail(o) {
  if (!isObject(o)) refuse("WebhookDeliveryDetail", 'an object', o);
  return {
    "id": typeof o.id === 'string' ? o.id : refuse("WebhookDeliveryDetail.id", "string", o.id),
    "webhook_id": typeof o.webhook_id === 'string' ? o.webhook_id : refuse("WebhookDeliveryDetail.webhook_id", "string", o.webhook_id),
    "event_id": typeof o.event_id === 'string' ? o.event_id : refuse("WebhookDeliveryDetail.event_id", "string", o.event_id),
    "event_type": typeof o.event_type === 'string' ? o.event_type : refuse("WebhookDeliveryDetail.event_type", "string", o.event_type),
    "trigger": typeof o.trigger === 'string' ? o.trigger : refuse("WebhookDeliveryDetail.trigger", "string", o.trigger),
    "status": typeof o.status === 'string' ? o.status : refuse("WebhookDeliveryDetail.status", "string", o.status),
    "attempt_count": Number.isInteger(o.attempt_count) ? o.attempt_count : refuse("WebhookDeliveryDetail.attempt_count", "integer", o.attempt_count),
    "next_attempt_at": (typeof o.next_attempt_at === 'string' || o.next_attempt_at === null) ? o.next_attempt_at : refuse("WebhookDeliveryDetail.next_attempt_at", "string or null", o.next_attempt_at),
    "response_status": (Number.isInteger(o.response_status) || o.response_status === null) ? o.response_status : refuse("WebhookDeliveryDetail.response_status", "integer or null", o.response_status),
    "created_at": typeof o.created_at === 'string' ? o.created_at : refuse("WebhookDeliveryDetail.created_at", "string", o.created_at),
    "completed_at": (typeof o.completed_at === 'string' || o.completed_at === null) ? o.completed_at : refuse("WebhookDeliveryDetail.completed_at", "string or null", o.completed_at),
    "payload": pickWebhookPayload(o.payload),
    "attempts": list(o.attempts, "WebhookDeliveryDetail.attempts", pickWebhookAttempt),
  };
}
function pickWebhookDeliveryPage(o) {
  if (!isObject(o)) refuse("WebhookDeliveryPage", 'an object', o);
  return {
    "items": list(o.items, "WebhookDeliveryPage.items", pickWebhookDelivery),
    "page": pickPage(o.page),
  };
}
function pickWebhookPage(o) {
  if (!isObject(o)) refuse("WebhookPage", 'an object', o);
  return {
    "items": list(o.items, "WebhookPage.items", pickWebhook),
    "page": pickPage(o.page),
  };
}
function pickWebhookPayload(o) {
  return isObject(o) ? json(o, "WebhookPayload") : refuse("WebhookPayload", "object", o);
}
function pickWebhookRedelivery(o) {
  if (!isObject(o)) refuse("WebhookRedelivery", 'an object', o);
  return {
    "enqueued": Number.isInteger(o.enqueued) ? o.enqueued : refuse("WebhookRedelivery.enqueued", "integer", o.enqueued),
    "next_since": (typeof o.next_since === 'string' || o.next_since === null) ? o.next_since : refuse("WebhookRedelivery.next_since", "string or null", o.next_since),
  };
}
function pickWebhookSecretRotated(o) {
  if (!isObject(o)) refuse("WebhookSecretRotated", 'an object', o);
  return {
    "webhook": pickWebhook(o.webhook),
    "secret": typeof o.secret === 'string' ? o.secret : refuse("WebhookSecretRotated.secret", "string", o.secret),
    "previous_expires_at": typeof o.previous_expires_at === 'string' ? o.previous_expires_at : refuse("WebhookSecretRotated.previous_expires_at", "string", o.previous_expires_at),
  };
}
function pickWebhookWithSecret(o) {
  if (!isObject(o)) refuse("WebhookWithSecret", 'an object', o);
  return {
    "webhook": pickWebhook(o.webhook),
    "secret": typeof o.secret === 'string' ? o.secret : refuse("WebhookWithSecret.secret", "string", o.secret),
  };
}
function pickWorkerCapabilities(o) {
  if (!isObject(o)) refuse("WorkerCapabilities", 'an object', o);
  return {
    "kinds": list(o.kinds, "WorkerCapabilities.kinds", (o) => typeof o === 'string' ? o : refuse("WorkerCapabilities.kinds[]", "string", o)),
    "sdk_versions": list(o.sdk_versions, "WorkerCapabilities.sdk_versions", (o) => typeof o === 'string' ? o : refuse("WorkerCapabilities.sdk_versions[]", "string", o)),
    "sandbox": typeof o.sandbox === 'string' ? o.sandbox : refuse("WorkerCapabilities.sandbox", "string", o.sandbox),
    "local_model": typeof o.local_model === 'boolean' ? o.local_model : refuse("WorkerCapabilities.local_model", "boolean", o.local_model),
  };
}
function pickWorkerHeartbeatReply(o) {
  if (!isObject(o)) refuse("WorkerHeartbeatReply", 'an object', o);
  return {
    "drain": typeof o.drain === 'boolean' ? o.drain : refuse("WorkerHeartbeatReply.drain", "boolean", o.drain),
    "stop_job_ids": list(o.stop_job_ids, "WorkerHeartbeatReply.stop_job_ids", (o) => typeof o === 'string' ? o : refuse("WorkerHeartbeatReply.stop_job_ids[]", "string", o)),
    "heartbeat_seconds": Number.isInteger(o.heartbeat_seconds) ? o.heartbeat_seconds : refuse("WorkerHeartbeatReply.heartbeat_seconds", "integer", o.heartbeat_seconds),
    "server_time": typeof o.server_time === 'string' ? o.server_time : refuse("WorkerHeartbeatReply.server_time", "string", o.server_time),
  };
}
function pickWorkerMetrics(o) {
  if (!isObject(o)) refuse("WorkerMetrics", 'an object', o);
  return {
    "cpu_percent": Number.isFinite(o.cpu_percent) ? o.cpu_percent : refuse("WorkerMetrics.cpu_percent", "number", o.cpu_percent),
    "memory_bytes": Number.isInteger(o.memory_bytes) ? o.memory_bytes : refuse("WorkerMetrics.memory_bytes", "integer", o.memory_bytes),
    "memory_limit_bytes": o.memory_limit_bytes === undefined ? undefined : (Number.isInteger(o.memory_limit_bytes) || o.memory_limit_bytes === null) ? o.memory_limit_bytes : refuse("WorkerMetrics.memory_limit_bytes", "integer or null", o.memory_limit_bytes),
    "running": Number.isInteger(o.running) ? o.running : refuse("WorkerMetrics.running", "integer", o.running),
    "free_slots": Number.isInteger(o.free_slots) ? o.free_slots : refuse("WorkerMetrics.free_slots", "integer", o.free_slots),
    "jobs_succeeded": o.jobs_succeeded === undefined ? undefined : Number.isInteger(o.jobs_succeeded) ? o.jobs_succeeded : refuse("WorkerMetrics.jobs_succeeded", "integer", o.jobs_succeeded),
    "jobs_failed": o.jobs_failed === undefined ? undefined : Number.isInteger(o.jobs_failed) ? o.jobs_failed : refuse("WorkerMetrics.jobs_failed", "integer", o.jobs_failed),
    "blob_cache_bytes": o.blob_cache_bytes === undefined ? undefined : Number.isInteger(o.blob_cache_bytes) ? o.blob_cache_bytes : refuse("WorkerMetrics.blob_cache_bytes", "integer", o.blob_cache_bytes),
    "gpu_percent": o.gpu_percent === undefined ? undefined : (Number.isFinite(o.gpu_percent) || o.gpu_percent === null) ? o.gpu_percent : refuse("WorkerMetrics.gpu_percent", "number or null", o.gpu_percent),
    "gpu_memory_bytes": o.gpu_memory_bytes === undefined ? undefined : (Number.isInteger(o.gpu_memory_bytes) || o.gpu_memory_bytes === null) ? o.gpu_memory_bytes : refuse("WorkerMetrics.gpu_memory_bytes", "integer or null", o.gpu_memory_bytes),
    "uptime_seconds": Number.isInteger(o.uptime_seconds) ? o.uptime_seconds : refuse("WorkerMetrics.uptime_seconds", "integer", o.uptime_seconds),
  };
}
function pickWorkerNode(o) {
  if (!isObject(o)) refuse("WorkerNode", 'an object', o);
  return {
    "id": typeof o.id === 'string' ? o.id : refuse("WorkerNode.id", "string", o.id),
    "name": typeof o.name === 'string' ? o.name : refuse("WorkerNode.name", "string", o.name),
    "type": typeof o.type === 'string' ? o.type : refuse("WorkerNode.type", "string", o.type),
    "status": typeof o.status === 'string' ? o.status : refuse("WorkerNode.status", "string", o.status),
    "concurrency": Number.isInteger(o.concurrency) ? o.concurrency : refuse("WorkerNode.concurrency", "integer", o.concurrency),
    "capabilities": pickWorkerCapabilities(o.capabilities),
    "cloudflare_id": (typeof o.cloudflare_id === 'string' || o.cloudflare_id === null) ? o.cloudflare_id : refuse("WorkerNode.cloudflare_id", "string or null", o.cloudflare_id),
    "version": typeof o.version === 'string' ? o.version : refuse("WorkerNode.version", "string", o.version),
    "running_jobs": Number.isInteger(o.running_jobs) ? o.running_jobs : refuse("WorkerNode.running_jobs", "integer", o.running_jobs),
    "metrics": o.metrics === null ? (null) : pickWorkerMetrics(o.metrics),
    "last_heartbeat_at": (typeof o.last_heartbeat_at === 'string' || o.last_heartbeat_at === null) ? o.last_heartbeat_at : refuse("WorkerNode.last_heartbeat_at", "string or null", o.last_heartbeat_at),
    "created_at": typeof o.created_at === 'string' ? o.created_at : refuse("WorkerNode.created_at", "string", o.created_at),
    "updated_at": typeof o.updated_at === 'string' ? o.updated_at : refuse("WorkerNode.updated_at", "string", o.updated_at),
  };
}
function pickWorkerNodePage(o) {
  if (!isObject(o)) refuse("WorkerNodePage", 'an object', o);
  return {
    "items": list(o.items, "WorkerNodePage.items", pickWorkerNode),
    "page": pickPage(o.page),
  };
}
function pickWorkerRegistered(o) {
  if (!isObject(o)) refuse("WorkerRegistered", 'an object', o);
  return {
    "worker": pickWorkerNode(o.worker),
    "node_key": typeof o.node_key === 'string' ? o.node_key : refuse("WorkerRegistered.node_key", "string", o.node_key),
    "heartbeat_seconds": Number.isInteger(o.heartbeat_seconds) ? o.heartbeat_seconds : refuse("WorkerRegistered.heartbeat_seconds", "integer", o.heartbeat_seconds),
  };
}

export const serializers = {
  registerUser: { 201: (o) => envelope(pickTokenPair(o)) },
  loginUser: { 200: (o) => envelope(pickLoginResult(o)) },
  refreshTokens: { 200: (o) => envelope(pickTokenPair(o)) },
  logoutUser: {  },
  listSessions: { 200: (o) => envelope(pickSessionPage(o)) },
  revokeOtherSessions: {  },
  revokeSession: {  },
  listDevices: { 200: (o) => envelope(pickDevicePage(o)) },
  removeDevice: {  },
  createSessionToken: { 200: (o) => envelope(pickSessionToken(o)) },
  consumeSessionToken: { 200: (o) => envelope(pickTokenPair(o)) },
  createDeviceLink: { 200: (o) => envelope(pickDeviceLinkGrant(o)) },
  pollDeviceLink: { 200: (o) => envelope(pickTokenPair(o)) },
  getDeviceLink: { 200: (o) => envelope(pickDeviceLink(o)) },
  approveDeviceLink: { 200: (o) => envelope(pickDeviceLink(o)) },
  denyDeviceLink: { 200: (o) => envelope(pickDeviceLink(o)) },
  changePassword: {  },
  forgotPassword: {  },
  resetPassword: {  },
  verifyEmail: {  },
  resendVerification: {  },
  requestEmailChange: {  },
  enrollTotp: { 200: (o) => envelope(pickTotpEnrollment(o)) },
  disableTotp: {  },
  confirmTotp: { 200: (o) => envelope(pickRecoveryCodes(o)) },
  regenerateRecoveryCodes: { 200: (o) => envelope(pickRecoveryCodes(o)) },
  verifyMfa: { 200: (o) => envelope(pickTokenPair(o)) },
  getMe: { 200: (o) => envelope(pickUser(o)) },
  updateMe: { 200: (o) => envelope(pickUser(o)) },
  requestAccountDeletion: { 200: (o) => envelope(pickAccountDeletion(o)) },
  requestDataExport: { 202: (o) => envelope(pickDataExport(o)) },
  getDataExport: { 200: (o) => envelope(pickDataExport(o)) },
  getPreferences: { 200: (o) => envelope(pickPreferences(o)) },
  updatePreferences: { 200: (o) => envelope(pickPreferences(o)) },
  getUsage: { 200: (o) => envelope(pickUsage(o)) },
  searchUsers: { 200: (o) => envelope(pickUserSummaryPage(o)) },
  listApiKeys: { 200: (o) => envelope(pickApiKeyPage(o)) },
  createApiKey: { 201: (o) => envelope(pickApiKeyCreated(o)) },
  updateApiKey: { 200: (o) => envelope(pickApiKey(o)) },
  revokeApiKey: {  },
  rotateApiKey: { 201: (o) => envelope(pickApiKeyCreated(o)) },
  listTeams: { 200: (o) => envelope(pickTeamPage(o)) },
  createTeam: { 201: (o) => envelope(pickTeam(o)) },
  getTeam: { 200: (o) => envelope(pickTeam(o)) },
  updateTeam: { 200: (o) => envelope(pickTeam(o)) },
  deleteTeam: {  },
  listTeamMembers: { 200: (o) => envelope(pickTeamMemberPage(o)) },
  addTeamMember: { 201: (o) => envelope(pickTeamMember(o)) },
  updateTeamMember: { 200: (o) => envelope(pickTeamMember(o)) },
  removeTeamMember: {  },
  listProjects: { 200: (o) => envelope(pickProjectPage(o)) },
  createProject: { 201: (o) => envelope(pickProject(o)) },
  getProject: { 200: (o) => envelope(pickProject(o)) },
  updateProject: { 200: (o) => envelope(pickProject(o)) },
  deleteProject: {  },
  transferProject: { 200: (o) => envelope(pickProjectTransfer(o)) },
  getProjectSettings: { 200: (o) => envelope(pickProjectSettings(o)) },
  updateProjectSettings: { 200: (o) => envelope(pickProjectSettings(o)) },
  listProjectMembers: { 200: (o) => envelope(pickProjectMemberPage(o)) },
  addProjectMember: { 201: (o) => envelope(pickProjectMember(o)) },
  removeProjectMember: {  },
  listMyInvitations: { 200: (o) => envelope(pickInvitationPage(o)) },
  createInvitation: { 201: (o) => envelope(pickInvitation(o)) },
  listProjectInvitations: { 200: (o) => envelope(pickInvitationPage(o)) },
  listTeamInvitations: { 200: (o) => envelope(pickInvitationPage(o)) },
  revokeInvitation: {  },
  acceptInvitation: { 200: (o) => envelope(pickInvitation(o)) },
  declineInvitation: { 200: (o) => envelope(pickInvitation(o)) },
  acceptInvitationByToken: { 200: (o) => envelope(pickInvitation(o)) },
  listProjectTags: { 200: (o) => envelope(pickProjectTagPage(o)) },
  createProjectTag: { 201: (o) => envelope(pickProjectTag(o)) },
  updateProjectTag: { 200: (o) => envelope(pickProjectTag(o)) },
  deleteProjectTag: {  },
  favoriteProject: {  },
  unfavoriteProject: {  },
  listProjectTemplates: { 200: (o) => envelope(pickProjectTemplatePage(o)) },
  listProjectActivity: { 200: (o) => envelope(pickProjectActivityPage(o)) },
  listTasks: { 200: (o) => envelope(pickTaskPage(o)) },
  createTask: { 201: (o) => envelope(pickTask(o)) },
  getTask: { 200: (o) => envelope(pickTask(o)) },
  updateTask: { 200: (o) => envelope(pickTask(o)) },
  deleteTask: {  },
  listLabels: { 200: (o) => envelope(pickTaskLabelPage(o)) },
  createLabel: { 201: (o) => envelope(pickTaskLabel(o)) },
  updateLabel: { 200: (o) => envelope(pickTaskLabel(o)) },
  deleteLabel: {  },
  attachLabel: {  },
  detachLabel: {  },
  listTaskDependencies: { 200: (o) => envelope(pickTaskDependencyPage(o)) },
  addTaskDependency: {  },
  removeTaskDependency: {  },
  listAttachments: { 200: (o) => envelope(pickTaskAttachmentPage(o)) },
  createAttachment: { 201: (o) => envelope(pickTaskAttachmentCreated(o)) },
  completeAttachment: { 200: (o) => envelope(pickTaskAttachment(o)) },
  downloadAttachment: { 200: (o) => envelope(pickAttachmentDownload(o)) },
  deleteAttachment: {  },
  listComments: { 200: (o) => envelope(pickCommentPage(o)) },
  createComment: { 201: (o) => envelope(pickComment(o)) },
  getComment: { 200: (o) => envelope(pickComment(o)) },
  updateComment: { 200: (o) => envelope(pickComment(o)) },
  deleteComment: {  },
  starComment: {  },
  unstarComment: {  },
  listNotifications: { 200: (o) => envelope(pickNotificationPage(o)) },
  countUnreadNotifications: { 200: (o) => envelope(pickUnreadCount(o)) },
  markNotificationRead: { 200: (o) => envelope(pickNotification(o)) },
  markAllNotificationsRead: { 200: (o) => envelope(pickNotificationsMarked(o)) },
  streamNotifications: {  },
  search: { 200: (o) => envelope(pickSearchResultPage(o)) },
  listPreviewSdks: { 200: (o) => envelope(pickPreviewSdkPage(o)) },
  requestPreview: { 202: (o) => envelope(pickPreviewRequested(o)) },
  listMissingBlobs: { 200: (o) => envelope(pickMissingBlobPage(o)) },
  startPreviewJob: { 202: (o) => envelope(pickPreviewJob(o)) },
  buildPreview: { 200: (o) => envelope(pickPreviewBuilt(o)) },
  listPreviewJobs: { 200: (o) => envelope(pickPreviewJobPage(o)) },
  getPreviewJob: { 200: (o) => envelope(pickPreviewJob(o)) },
  deletePreviewJob: {  },
  cancelPreviewJob: { 200: (o) => envelope(pickPreviewJob(o)) },
  getPreviewLogs: { 200: (o) => envelope(pickPreviewLogPage(o)) },
  streamPreviewJob: {  },
  listPreviewArtifacts: { 200: (o) => envelope(pickPreviewArtifactPage(o)) },
  createPreviewToken: { 201: (o) => envelope(pickPreviewToken(o)) },
  listPreviewShares: { 200: (o) => envelope(pickPreviewSharePage(o)) },
  sharePreview: { 201: (o) => envelope(pickPreviewShare(o)) },
  revokePreviewShare: {  },
  createPreviewSession: { 201: (o) => envelope(pickPreviewSessionCreated(o)) },
  getPreviewSession: { 200: (o) => envelope(pickPreviewSession(o)) },
  uploadPreviewBundle: { 201: (o) => envelope(pickPreviewSession(o)) },
  createLiveSession: { 201: (o) => envelope(pickLiveSessionCreated(o)) },
  pushLiveChanges: { 202: (o) => envelope(pickLiveRevision(o)) },
  streamLiveSession: {  },
  endLiveSession: {  },
  viewPreview: {  },
  streamPreviewView: {  },
  getPreviewManifest: {  },
  reportPreviewResult: { 200: (o) => envelope(pickJobResultReceipt(o)) },
  reportAiResult: { 200: (o) => envelope(pickJobResultReceipt(o)) },
  reportRepoSync: { 200: (o) => envelope(pickJobResultReceipt(o)) },
  registerWorker: { 200: (o) => envelope(pickWorkerRegistered(o)) },
  reportHeartbeat: { 200: (o) => envelope(pickWorkerHeartbeatReply(o)) },
  claimJob: { 200: (o) => envelope(pickClaimedJob(o)) },
  reportJobProgress: { 200: (o) => envelope(pickJobProgressReply(o)) },
  createJobUploads: { 200: (o) => envelope(pickJobUploads(o)) },
  reportJobResult: { 200: (o) => envelope(pickJobResultReceipt(o)) },
  listWebhooks: { 200: (o) => envelope(pickWebhookPage(o)) },
  createWebhook: { 201: (o) => envelope(pickWebhookWithSecret(o)) },
  getWebhook: { 200: (o) => envelope(pickWebhook(o)) },
  updateWebhook: { 200: (o) => envelope(pickWebhook(o)) },
  deleteWebhook: {  },
  rotateWebhookSecret: { 200: (o) => envelope(pickWebhookSecretRotated(o)) },
  testWebhook: { 202: (o) => envelope(pickWebhookDelivery(o)) },
  redeliverSince: { 202: (o) => envelope(pickWebhookRedelivery(o)) },
  listDeliveries: { 200: (o) => envelope(pickWebhookDeliveryPage(o)) },
  getDelivery: { 200: (o) => envelope(pickWebhookDeliveryDetail(o)) },
  redeliverDelivery: { 202: (o) => envelope(pickWebhookDelivery(o)) },
  listTiers: { 200: (o) => envelope(pickTierOfferPage(o)) },
  listUsers: { 200: (o) => envelope(pickAdminUserPage(o)) },
  getUser: { 200: (o) => envelope(pickAdminUserDetail(o)) },
  setUserTier: { 200: (o) => envelope(pickAdminUser(o)) },
  suspendUser: { 200: (o) => envelope(pickAdminUser(o)) },
  unsuspendUser: { 200: (o) => envelope(pickAdminUser(o)) },
  listWorkers: { 200: (o) => envelope(pickWorkerNodePage(o)) },
  getQueueStats: { 200: (o) => envelope(pickQueueStats(o)) },
  listDeadJobs: { 200: (o) => envelope(pickDeadJobPage(o)) },
  retryDeadJob: { 202: (o) => envelope(pickDeadJob(o)) },
  getPreviewStats: { 200: (o) => envelope(pickPreviewStats(o)) },
  getScalingRules: { 200: (o) => envelope(pickScalingState(o)) },
  updateScalingRules: { 200: (o) => envelope(pickScalingRule(o)) },
  listScalingEvents: { 200: (o) => envelope(pickScalingEventPage(o)) },
  listTierLimits: { 200: (o) => envelope(pickTierLimitSetPage(o)) },
  updateTierLimits: { 200: (o) => envelope(pickTierLimitSet(o)) },
  getHealth: { 200: (o) => envelope(pickHealth(o)) },
  getDeepHealth: { 200: (o) => envelope(pickDeepHealth(o)) },
  getDbHealth: { 200: (o) => envelope(pickPartHealth(o)) },
  getRedisHealth: { 200: (o) => envelope(pickPartHealth(o)) },
};
