#include "certmgr/acme/solvers/shared_port.h"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "certmgr/core/error.h"
#include "tests/support/fake_port_opener.h"

namespace certmgr::acme {
namespace {

using testing_support::FakePortOpener;

const Error refused(ErrorKind::misconfigured, "port-not-opened", "there is no set");

TEST(SharedPort, IsOpenWhileOneLeaseIsThere) {
    FakePortOpener filter;
    SharedPort port(filter, 80);
    SharedPort::Lease first = port.open();
    SharedPort::Lease second = port.open();
    EXPECT_EQ(filter.opened(), 2) << "each lease has the whole limit";
    first.reset();
    EXPECT_TRUE(filter.isOpen(80));
    EXPECT_EQ(filter.closed(), 0) << "not even for a moment";
    second.reset();
    EXPECT_FALSE(filter.isOpen(80));
}

TEST(SharedPort, ManyOrdersAtOnceLeaveItClosed) {
    FakePortOpener filter;
    SharedPort port(filter, 80);
    int shut = 0;
    std::mutex mutex;
    {
        std::vector<std::jthread> orders;
        for (int i = 0; i < 8; ++i)
            orders.emplace_back([&] {
                for (int round = 0; round < 200; ++round) {
                    const SharedPort::Lease lease = port.open();
                    const std::lock_guard lock(mutex);
                    if (!filter.isOpen(80)) ++shut;
                }
            });
    }
    EXPECT_EQ(shut, 0) << "it was closed under a lease";
    EXPECT_FALSE(filter.isOpen(80));
}

TEST(SharedPort, WhatCouldNotBeOpenedIsClosedAgain) {
    FakePortOpener filter;
    SharedPort port(filter, 80);
    filter.refusal = refused;
    EXPECT_THROW(port.open(), Error);
    EXPECT_EQ(filter.closed(), 1);
    filter.refusal.reset();
    const SharedPort::Lease lease = port.open();
    filter.refusal = refused;
    EXPECT_THROW(port.open(), Error);
    EXPECT_EQ(filter.closed(), 1) << "the other lease needs it";
}

TEST(SharedPort, WhatACrashLeftOpenIsClosedUnlessItIsInUse) {
    FakePortOpener filter;
    filter.open(80);
    SharedPort port(filter, 80);
    SharedPort::Lease lease = port.open();
    EXPECT_TRUE(port.closeUnused());
    EXPECT_TRUE(filter.isOpen(80));
    filter.refusal = refused;
    lease.reset();
    EXPECT_TRUE(filter.isOpen(80));
    EXPECT_FALSE(port.closeUnused());
    filter.refusal.reset();
    EXPECT_TRUE(port.closeUnused());
    EXPECT_FALSE(filter.isOpen(80));
}

}  // namespace
}  // namespace certmgr::acme
