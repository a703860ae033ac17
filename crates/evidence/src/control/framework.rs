//! Frameworks: the ids that controls relate to, with their gist in our own words.
//!
//! Their texts are their owners'; here stand ids and a few words of ours. *Relates to* is all that
//! is said: whether a framework's demand is met is for its auditor.

use serde::Serialize;

/// A demand of a framework that a control relates to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Relation {
    /// The framework and its version.
    pub framework: &'static str,
    /// The id of the demand in it.
    pub id: &'static str,
    /// The gist, in our own words.
    pub gist: &'static str,
}

const fn relation(framework: &'static str, id: &'static str, gist: &'static str) -> Relation {
    Relation { framework, id, gist }
}

const PCI: &str = "PCI DSS 4.0.1";
const SOC2: &str = "SOC 2";
const ISO: &str = "ISO/IEC 27001:2022 Annex A";
const NIST: &str = "NIST SP 800-53 r5";
const RTS: &str = "RTS (EU) 2024/1774";
const DORA: &str = "DORA (EU) 2022/2554";

/// A reviewer who is not the author, then somebody accountable who is neither.
pub const PCI_6_2_3_1: Relation =
    relation(PCI, "6.2.3.1", "a review by another than the author, then a release by a third");
/// Changes to production have reason, impact, approval, test and a way back.
pub const PCI_6_5_1: Relation =
    relation(PCI, "6.5.1", "reason, impact, approval, test and a way back for every change");
/// Roles are separated so that only approved changes are deployed.
pub const PCI_6_5_4: Relation =
    relation(PCI, "6.5.4", "roles separated, so that only approved changes get to production");
/// Environments before production are kept apart.
pub const PCI_6_5_3: Relation =
    relation(PCI, "6.5.3", "environments before production kept apart from it");
/// Rights by job, and no more.
pub const PCI_7_2_2: Relation = relation(PCI, "7.2.2", "rights by job, and no more than needed");
/// Every account is of one person.
pub const PCI_8_2_1: Relation = relation(PCI, "8.2.1", "one person behind each account");
/// Interactive use of system accounts is exceptional and attributable.
pub const PCI_8_6_1: Relation =
    relation(PCI, "8.6.1", "system accounts used by people only by exception, and attributable");
/// Changes are authorised, tested, approved and carried out.
pub const SOC2_CC8_1: Relation =
    relation(SOC2, "CC8.1", "changes authorised, tested, approved and carried out");
/// Duties are separated by rights.
pub const SOC2_CC6_3: Relation = relation(SOC2, "CC6.3", "rights by role, duties separated");
/// Changes of configuration are noticed.
pub const SOC2_CC7_1: Relation = relation(SOC2, "CC7.1", "changes of configuration are noticed");
/// Conflicting duties are separated.
pub const ISO_5_3: Relation = relation(ISO, "5.3", "conflicting duties separated");
/// Privileged rights are limited.
pub const ISO_8_2: Relation = relation(ISO, "8.2", "privileged rights limited and managed");
/// Environments are separated.
pub const ISO_8_31: Relation = relation(ISO, "8.31", "development, test and production separated");
/// Changes follow a procedure.
pub const ISO_8_32: Relation = relation(ISO, "8.32", "changes follow a procedure");
/// Duties are separated.
pub const NIST_AC_5: Relation = relation(NIST, "AC-5", "duties separated");
/// Least privilege.
pub const NIST_AC_6: Relation = relation(NIST, "AC-6", "least privilege");
/// What users do can be laid at their door.
pub const NIST_AU_10: Relation =
    relation(NIST, "AU-10", "who did it can be told, and not be denied");
/// Changes are controlled.
pub const NIST_CM_3: Relation = relation(NIST, "CM-3", "changes reviewed, approved and recorded");
/// Changes are tested before.
pub const NIST_CM_3_2: Relation = relation(NIST, "CM-3(2)", "changes tested before");
/// Access for change is restricted.
pub const NIST_CM_5: Relation = relation(NIST, "CM-5", "access for change restricted");
/// Changes are recorded, tested, assessed, approved and verified.
pub const DORA_9_4_E: Relation =
    relation(DORA, "Art. 9(4)(e)", "changes recorded, tested, assessed, approved, verified");
/// Who approves is independent of who asks and who carries out.
pub const RTS_17_1_B: Relation =
    relation(RTS, "Art. 17(1)(b)", "approvers independent of requesters and implementers");
/// Changes are documented and communicated.
pub const RTS_17_1_D: Relation = relation(RTS, "Art. 17(1)(d)", "changes documented");
/// A way back.
pub const RTS_17_1_E: Relation = relation(RTS, "Art. 17(1)(e)", "a way back for every change");
/// Safeguards in an emergency.
pub const RTS_17_1_F: Relation = relation(RTS, "Art. 17(1)(f)", "safeguards for emergencies");
/// Emergency changes are approved afterwards.
pub const RTS_17_1_G: Relation =
    relation(RTS, "Art. 17(1)(g)", "emergency changes judged and approved afterwards");
/// Segregation of duties in access rights.
pub const RTS_21_B: Relation = relation(RTS, "Art. 21(b)", "rights that separate duties");
/// Accountability of users.
pub const RTS_21_C: Relation = relation(RTS, "Art. 21(c)", "users accountable, sharing limited");
