// All repositories of one database, by name.
#pragma once

#include "certmgr/store/repositories.h"

namespace certmgr::engine {

struct Records {
    explicit Records(store::Database& opened)
        : database(opened),
          keys(opened),
          certificates(opened),
          credentials(opened),
          uploads(opened),
          orders(opened),
          accounts(opened),
          authorities(opened),
          issued(opened),
          crls(opened),
          renewals(opened),
          persist(opened),
          budget(opened),
          pauses(opened),
          acmeRevocations(opened),
          deployments(opened),
          alarms(opened),
          meta(opened) {}

    store::Database& database;
    store::KeyRepository keys;
    store::CertificateRepository certificates;
    store::CredentialRepository credentials;
    store::UploadRepository uploads;
    store::OrderRepository orders;
    store::AccountRepository accounts;
    store::AuthorityRepository authorities;
    store::IssuedRepository issued;
    store::CrlRepository crls;
    store::RenewalRepository renewals;
    store::PersistRepository persist;
    store::BudgetRepository budget;
    store::PauseRepository pauses;
    store::AcmeRevocationRepository acmeRevocations;
    store::DeploymentRepository deployments;
    store::AlarmRepository alarms;
    store::MetaRepository meta;
};

}  // namespace certmgr::engine
