// The names of the interface; org.certmgr1(7) documents them.
#pragma once

namespace certmgr::bus {

inline constexpr char serviceName[] = "org.certmgr1";
inline constexpr char rootPath[] = "/org/certmgr1";
inline constexpr char refusalPrefix[] = "org.certmgr1.Error.";
inline constexpr char failurePrefix[] = "org.certmgr1.Failure.";

inline constexpr char managerInterface[] = "org.certmgr1.Manager";
inline constexpr char authorityManagerInterface[] = "org.certmgr1.AuthorityManager";
inline constexpr char backupManagerInterface[] = "org.certmgr1.BackupManager";
inline constexpr char acmeInterface[] = "org.certmgr1.Acme";
inline constexpr char certificateInterface[] = "org.certmgr1.Certificate";
inline constexpr char serviceInterface[] = "org.certmgr1.Service";
inline constexpr char authorityInterface[] = "org.certmgr1.Authority";
inline constexpr char uploadInterface[] = "org.certmgr1.Upload";
inline constexpr char jobInterface[] = "org.certmgr1.Job";
inline constexpr char alarmInterface[] = "org.certmgr1.Alarm";

inline constexpr char certificatePath[] = "/org/certmgr1/certificate";
inline constexpr char servicePath[] = "/org/certmgr1/service";
inline constexpr char authorityPath[] = "/org/certmgr1/authority";
inline constexpr char uploadPath[] = "/org/certmgr1/upload";
inline constexpr char jobPath[] = "/org/certmgr1/job";
inline constexpr char alarmPath[] = "/org/certmgr1/alarm";

inline constexpr char viewAction[] = "org.certmgr1.view";
inline constexpr char manageAction[] = "org.certmgr1.manage";
inline constexpr char authorityAction[] = "org.certmgr1.authority";
inline constexpr char backupAction[] = "org.certmgr1.backup";

}  // namespace certmgr::bus
