################################################################################
#
# h5edge-appliance
#
################################################################################

# Nothing to build: Config.in names the services that a box needs.

$(eval $(generic-package))
